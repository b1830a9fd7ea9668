"""Injects the faults of a scenario while it runs, each at its moment by the client's ledger."""

import csv
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scenarios.cli.signals import interruption_postponed
from scenarios.formats.columns import header
from scenarios.formats.report_directory import ReportDirectory
from scenarios.formats.rows import AppliedFault, Response
from scenarios.spec.errors import UsageError
from scenarios.spec.fault import Fault
from scenarios.stacks.registry import USER_ERRORS, sentence
from scenarios.stacks.stack import FaultActions, Stack

POLLED_EVERY_S = 0.02
ENDED_WITHIN_S = 300.0  # the longest that an action and its waits take: 120 s for Docker, 60 s until it is ready again
STAGE = Response._fields.index("stage")


def require_possible(stack: Stack, faults: Sequence[Fault]) -> None:
    """Raise `UsageError` when one of the faults is not possible on this stack."""
    if not faults:
        return
    kinds, backends = stack.fault_actions().kinds, stack.backends()
    for fault in faults:
        if fault.kind not in kinds:
            raise UsageError(f"{fault.text}: is not possible on the {stack.name} stack")
        if fault.backend is not None and fault.backend not in backends:
            raise UsageError(f"{fault.text}: there is no backend {fault.backend}; there are {', '.join(backends)}")


@contextmanager
def faults_injected(stack: Stack, directory: ReportDirectory, faults: Sequence[Fault]) -> Iterator[None]:
    """Inject the faults while the body runs, write `faults.csv`, and undo afterwards what is still broken."""
    if not faults:
        yield
        return
    with directory.faults_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header(AppliedFault))

        def write(applied: AppliedFault) -> None:
            writer.writerow(applied)
            file.flush()

        injector = FaultInjector(stack.fault_actions(), directory, faults, write)
        injector.start()
        try:
            yield
        finally:
            with interruption_postponed():
                injector.stop()


@contextmanager
def errors_reported(failure: str) -> Iterator[None]:
    """Report an error of the body on standard error, after these words, and go on."""
    try:
        yield
    except USER_ERRORS as error:
        print(f"{failure}: {sentence(error)}", file=sys.stderr)


class LedgerProgress:
    """How many requests of each stage have ended, and when the first did, by the client's ledger as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_bytes = 0
        self._rest = b""
        self._ended: dict[str, int] = {}
        self._began_at: dict[str, float] = {}  # by the monotonic clock

    def update(self) -> None:
        """Read the rows that were written since the last update."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read_bytes)
            new = file.read()
        self._read_bytes += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for row in csv.reader(line.decode(errors="replace") for line in lines):
            if len(row) == len(Response._fields) and row[0] != header(Response)[0]:
                self._ended[row[STAGE]] = self._ended.get(row[STAGE], 0) + 1
                self._began_at.setdefault(row[STAGE], time.monotonic())

    def has_reached(self, fault: Fault) -> bool:
        """Whether the moment of this fault has come."""
        if fault.stage not in self._ended:
            return False
        if fault.after_requests is not None:
            return self._ended[fault.stage] >= fault.after_requests
        assert fault.after_s is not None
        return time.monotonic() - self._began_at[fault.stage] >= fault.after_s

    @property
    def stage(self) -> str:
        """The stage that began last."""
        return list(self._ended)[-1]


class FaultInjector:
    """Waits for the moment of each fault, in their order, and applies it, in a thread of its own.

    When a fault cannot be applied, it does not try those after it: they would not mean what the scenario says.
    """

    def __init__(
        self,
        fault_actions: FaultActions,
        directory: ReportDirectory,
        faults: Sequence[Fault],
        write: Callable[[AppliedFault], None],
    ) -> None:
        self._actions = fault_actions
        self._progress = LedgerProgress(directory.responses_path)
        self._faults = faults
        self._write = write
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._inject_all, name="fault injector", daemon=True)

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def stop(self) -> None:
        """Apply no more faults, and undo what is still broken."""
        self._stopped.set()
        self._thread.join(ENDED_WITHIN_S)
        with errors_reported("what was broken could not be mended"):
            if self._thread.is_alive():
                raise UsageError(f"a fault was still being applied after {ENDED_WITHIN_S:g} s")
            self._actions.undo_all()

    def _inject_all(self) -> None:
        for number, fault in enumerate(self._faults, start=1):
            while not self._is_due(fault):
                if self._stopped.wait(POLLED_EVERY_S):
                    return
            applied = self._applied(number, fault)
            self._write(applied)
            if applied.failure:
                print(f"{fault.text} could not be done: {applied.failure}", file=sys.stderr)
                return

    def _is_due(self, fault: Fault) -> bool:
        self._progress.update()
        return self._progress.has_reached(fault)

    def _applied(self, number: int, fault: Fault) -> AppliedFault:
        stage, detail, failure, began_ns = self._progress.stage, "", "", time.time_ns()
        try:
            detail = self._actions.apply(fault)
        except USER_ERRORS as error:
            failure = sentence(error) or repr(error)
        return AppliedFault(
            number=number,
            kind=str(fault.kind),
            backend=fault.backend or "",
            stage=stage,
            began_us=began_ns // 1000,
            ended_us=time.time_ns() // 1000,
            detail=detail,
            failure=failure,
        )
