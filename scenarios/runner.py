"""Runs a scenario as a person would: stack up, Locust, analysis, and the stack down if it was not up before."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scenarios.claim import Claim
from scenarios.definition import Scenario
from scenarios.errors import UsageError
from scenarios.evidence import evidence
from scenarios.interruption import child
from scenarios.last_words import last_words
from scenarios.report_directory import ReportDirectory
from scenarios.stacks.ports import LOOPBACK
from scenarios.stacks.stack import PROJECT, Stack
from scenarios.striker import require_possible

LOG = "locust.log"
LOCUST_GIVES_UP_WITHIN_S = 30.0
MASTER_PORT = 5557


@dataclass(frozen=True)
class Load:
    """How a scenario is to be driven: its size, a claim of one's own, the number of processes."""

    requests: int | None = None
    users: int | None = None
    processes: int = 1
    claim: str | None = None

    def arguments(self, port_offset: int) -> Iterator[str]:
        """What Locust is told of it. Its processes meet at a port that is moved with the stack's."""
        if self.requests is not None:
            yield from ("--scale-requests", str(self.requests))
        if self.users is not None:
            yield from ("--scale-users", str(self.users))
        if self.processes > 1:
            port = str(MASTER_PORT + port_offset)
            yield from ("--processes", str(self.processes), "--master-bind-host", LOOPBACK)
            yield from ("--master-bind-port", port, "--master-port", port)


def run(scenario: Scenario, stack: Stack, reports: Path, load: Load) -> int:
    """Run a scenario on a stack and judge it; its report directory is made under `reports`.

    Returns the exit code: 0 PASS, 1 FAIL, 3 INVALID. Raises `UsageError` when the run cannot be started, `Interrupted`
    on Ctrl-C and on SIGTERM. Nothing is left running.
    """
    as_asked = _as_asked(scenario, stack, load)
    (reports / scenario.name).mkdir(parents=True, exist_ok=True)
    with stack.reserved():
        print(f"{scenario.name}: {scenario.claim}", flush=True)
        if as_asked != scenario:
            print(f"scaled to {as_asked.requests:,} requests and {as_asked.peak_users:,} users", flush=True)
        with _brought_up(stack):
            directory = _driven(as_asked, stack, reports, load)
    print(flush=True)
    return judged(directory)


def run_each(
    scenarios: Sequence[Scenario], stack: Stack, reports: Path, load: Load, keep: Callable[[ReportDirectory], None]
) -> None:
    """Run scenarios one after the other on a stack that stays up meanwhile. `keep` is told of each that was judged.

    Raises what `run` does; nothing is started when one of them cannot be.
    """
    as_asked = [_as_asked(scenario, stack, load) for scenario in scenarios]
    with stack.reserved(), _brought_up(stack):
        for number, scenario in enumerate(as_asked, start=1):
            print(f"\n{number} of {len(as_asked)}, {scenario.name}: {scenario.claim}", flush=True)
            directory = _driven(scenario, stack, reports, load)
            print(flush=True)
            judged(directory)
            keep(directory)


def _as_asked(scenario: Scenario, stack: Stack, load: Load) -> Scenario:
    """The scenario as it is to be run. Raises `UsageError` when it cannot be, for a reason that is known beforehand."""
    as_asked = scenario.scaled(load.requests, load.users)
    require_a_user_each(load.processes, as_asked)
    if load.claim is not None:
        Claim.of_weights(load.claim)
    require_possible(stack, as_asked.faults)
    stack.require_open_files(as_asked.peak_users)
    if not locustfile(scenario).exists():
        raise UsageError(f"{locustfile(scenario)}: is missing: every scenario has a locustfile of its name")
    return as_asked


@contextmanager
def _brought_up(stack: Stack) -> Iterator[None]:
    with stack.up() as started:
        print(f"{stack.name} stack {'started' if started else 'was up already'}: {stack.url}", flush=True)
        yield


def _driven(scenario: Scenario, stack: Stack, reports: Path, load: Load) -> ReportDirectory:
    """Where the evidence of the run is that was driven."""
    stack.require_room(scenario.requests)
    directory = ReportDirectory.new(reports, scenario.name)
    _drive(scenario, stack, directory, load)
    return directory


def require_a_user_each(processes: int, scenario: Scenario) -> None:
    """Raise `UsageError` when there are more processes than users."""
    if processes > scenario.peak_users:
        raise UsageError(f"{processes} processes for {scenario.peak_users:,} users: some would have none")


def judged(directory: ReportDirectory) -> int:
    """Judge a run by its report directory, in a process of its own, which says what came out. Returns its exit code."""
    return subprocess.run([sys.executable, "-m", "analysis", str(directory.path)], cwd=PROJECT, check=False).returncode


def _drive(scenario: Scenario, stack: Stack, directory: ReportDirectory, load: Load) -> None:
    """Run Locust, and keep beside its ledgers what the stack claims, used and logged."""

    def seen(path: Path) -> str:
        return stack.seen_by_locust(path, directory.reports)

    arguments = [
        *("--headless", "--only-summary", "--locustfile", seen(locustfile(scenario))),
        *("--host", stack.target, "--stack", stack.name, "--claim", load.claim or seen(directory.conf_path)),
        *("--report-directory", seen(directory.path)),
        *(["--with-faults"] if scenario.faults else []),
        *("--logfile", seen(directory.path / LOG), "--json-file", seen(directory.path / "locust")),
        *load.arguments(stack.port_offset),
    ]
    with evidence(stack, directory, scenario, by_configuration=load.claim is None):
        _run_locust(stack, directory, arguments)


def _run_locust(stack: Stack, directory: ReportDirectory, arguments: list[str]) -> None:
    """Run Locust to its end. Raises `UsageError` when that came before the run began."""

    def start() -> subprocess.Popen[bytes]:
        return stack.start_locust(arguments, directory.reports)

    def end(locust: subprocess.Popen[bytes]) -> None:
        begun = directory.manifest_path.exists()
        end_locust(locust, stack, begun=begun)
        if begun:
            print(f"stopped; what was recorded is in {directory.path}", file=sys.stderr)

    with child(start, end) as locust:
        locust.wait()
    if not directory.manifest_path.exists():
        said = last_words(directory.path / LOG)
        raise UsageError(f"Locust ended with exit code {locust.returncode} before the run began: {said}")


def locustfile(scenario: Scenario) -> Path:
    """The locustfile of a scenario."""
    return PROJECT / "locustfiles" / f"{scenario.name.replace('-', '_')}.py"


def end_locust(locust: subprocess.Popen[bytes], stack: Stack, *, begun: bool) -> None:
    """End a run in good order, or a Locust that has not begun one at once."""
    stack.tell_locust(locust, signal.SIGINT if begun else signal.SIGKILL)
    try:
        locust.wait(LOCUST_GIVES_UP_WITHIN_S)
    except subprocess.TimeoutExpired:
        stack.tell_locust(locust, signal.SIGKILL)
        locust.wait()
