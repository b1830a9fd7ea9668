"""Brings the faults of a scenario about while it runs, each when its time has come by the client's ledger."""

import csv
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scenarios.complaints import COMPLAINTS, sentence
from scenarios.errors import UsageError
from scenarios.fault import Fault
from scenarios.interruption import undisturbed
from scenarios.ledgers import Response, Strike
from scenarios.report_directory import ReportDirectory
from scenarios.stacks.stack import Breaker, Stack

LOOKED_AT_EVERY_S = 0.02
STAGE = Response._fields.index("stage")


def require_possible(stack: Stack, faults: Sequence[Fault]) -> None:
    """Raise `UsageError` when one of the faults cannot be brought about on this stack."""
    if not faults:
        return
    kinds, backends = stack.breaker().kinds, stack.backends()
    for fault in faults:
        if fault.what not in kinds:
            raise UsageError(f"{fault.text}: is not possible on the {stack.name} stack")
        if fault.whom is not None and fault.whom not in backends:
            raise UsageError(f"{fault.text}: there is no backend {fault.whom}; there are {', '.join(backends)}")


@contextmanager
def struck(stack: Stack, directory: ReportDirectory, faults: Sequence[Fault]) -> Iterator[None]:
    """Bring the faults about while the body runs, and keep `faults.csv`. What is amiss afterwards is mended."""
    if not faults:
        yield
        return
    with directory.faults_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Strike._fields)

        def keep(strike: Strike) -> None:
            writer.writerow(strike)
            file.flush()

        striker = Striker(stack.breaker(), directory, faults, keep)
        striker.start()
        try:
            yield
        finally:
            with undisturbed():
                striker.stop()


@contextmanager
def complained(what: str) -> Iterator[None]:
    """Say on standard error what was in the way of the body, and go on."""
    try:
        yield
    except COMPLAINTS as fault:
        print(f"{what}: {sentence(fault)}", file=sys.stderr)


class Progress:
    """How many requests of each stage have come to their end, and since when: the client's ledger, as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._rest = b""
        self._ended: dict[str, int] = {}
        self._began_at: dict[str, float] = {}  # by the monotonic clock

    def look(self) -> None:
        """Read what was written since the last look."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for row in csv.reader(line.decode(errors="replace") for line in lines):
            if len(row) == len(Response._fields) and row[0] != Response._fields[0]:
                self._ended[row[STAGE]] = self._ended.get(row[STAGE], 0) + 1
                self._began_at.setdefault(row[STAGE], time.monotonic())

    def has_come_to(self, fault: Fault) -> bool:
        """Whether it is time for this fault."""
        if fault.stage not in self._ended:
            return False
        if fault.after_requests is not None:
            return self._ended[fault.stage] >= fault.after_requests
        assert fault.after_s is not None
        return time.monotonic() - self._began_at[fault.stage] >= fault.after_s

    @property
    def stage(self) -> str:
        """The stage that has begun last."""
        return list(self._ended)[-1]


class Striker:
    """Waits for the moment of each fault, in their order, and strikes, in a thread of its own.

    When one cannot be brought about, those after it are not tried: they would not mean what they were to mean.
    """

    def __init__(
        self, breaker: Breaker, directory: ReportDirectory, faults: Sequence[Fault], keep: Callable[[Strike], None]
    ) -> None:
        self._breaker = breaker
        self._progress = Progress(directory.responses_path)
        self._faults = faults
        self._keep = keep
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._strike_all, name="striker")

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def stop(self) -> None:
        """Strike no more, and make everything well again."""
        self._over.set()
        self._thread.join()
        with complained("what was broken could not be mended"):
            self._breaker.mend()

    def _strike_all(self) -> None:
        for number, fault in enumerate(self._faults, start=1):
            while not self._has_come(fault):
                if self._over.wait(LOOKED_AT_EVERY_S):
                    return
            strike = self._struck(number, fault)
            self._keep(strike)
            if strike.failure:
                print(f"{fault.text} could not be done: {strike.failure}", file=sys.stderr)
                return

    def _has_come(self, fault: Fault) -> bool:
        self._progress.look()
        return self._progress.has_come_to(fault)

    def _struck(self, number: int, fault: Fault) -> Strike:
        stage, detail, failure, began_ns = self._progress.stage, "", "", time.time_ns()
        try:
            detail = self._breaker.strike(fault)
        except COMPLAINTS as error:
            failure = sentence(error)
        whom = fault.whom or ""
        return Strike(number, str(fault.what), whom, stage, began_ns // 1000, time.time_ns() // 1000, detail, failure)
