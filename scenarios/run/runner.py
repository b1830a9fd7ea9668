"""Runs a scenario as a person would: stack up, Locust, analysis, and the stack down if it was not up before."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scenarios.cli.log_tail import log_tail
from scenarios.cli.signals import child
from scenarios.formats.report_directory import VERDICT, ReportDirectory
from scenarios.run.analysis_process import analysed
from scenarios.run.fault_injector import require_possible
from scenarios.run.recording import recording
from scenarios.spec.claim import Claim
from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import Scenario
from scenarios.stacks.ports import LOOPBACK
from scenarios.stacks.stack import PROJECT, Stack

LOCUSTFILES = PROJECT / "locustfiles"
ANY_SCENARIO = LOCUSTFILES / "any_scenario.py"
LOG = "locust.log"
LOCUST_ENDS_WITHIN_S = 30.0
MASTER_PORT = 5557


@dataclass(frozen=True)
class Load:
    """How to drive a scenario: another size, another claim, the number of Locust's processes."""

    requests: int | None = None
    users: int | None = None
    processes: int = 1
    claim: str | None = None

    def arguments(self, port_offset: int) -> Iterator[str]:
        """The arguments for Locust. Its processes meet at a port that moves with the stack's."""
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
    scaled = _scaled(scenario, stack, load)
    (reports / scenario.name).mkdir(parents=True, exist_ok=True)
    with stack.locked():
        print(f"{scenario.name}: {scenario.claim}", flush=True)
        if scaled != scenario:
            print(f"scaled to {scaled.requests:,} requests and {scaled.peak_users:,} users", flush=True)
        with stack_up(stack):
            directory = drive(scaled, stack, reports, load)
    print(flush=True)
    return judge(directory)


def run_each(
    scenarios: Sequence[Scenario], stack: Stack, reports: Path, load: Load, finished: Callable[[ReportDirectory], None]
) -> None:
    """Run scenarios one after the other on a stack that stays up, and call `finished` for each that was judged.

    Raises what `run` raises. It starts nothing when one of the scenarios cannot be run.
    """
    scaled = [_scaled(scenario, stack, load) for scenario in scenarios]
    with stack.locked(), stack_up(stack):
        for number, scenario in enumerate(scaled, start=1):
            print(f"\n{number} of {len(scaled)}, {scenario.name}: {scenario.claim}", flush=True)
            directory = drive(scenario, stack, reports, load)
            print(flush=True)
            judge(directory)
            finished(directory)


def _scaled(scenario: Scenario, stack: Stack, load: Load) -> Scenario:
    """The scenario in the size that is asked for. Raises `UsageError` when this stack cannot run it."""
    scaled = scenario.scaled(load.requests, load.users)
    require_a_user_each(load.processes, scaled)
    if load.claim is not None:
        Claim.of_weights(load.claim)
    require_on_the_stack(scaled)
    require_possible(stack, scaled.faults)
    stack.require_open_files(scaled.peak_users)
    return scaled


def require_on_the_stack(scenario: Scenario) -> None:
    """Raise `UsageError` when the scenario's requests go to an address of its own."""
    if scenario.target.url is not None:
        raise UsageError(
            f"{scenario.name}: its target.url is {scenario.target.url}, which is no stack of this project: "
            "start it with Locust alone, or leave target.url out"
        )


def require_a_user_each(processes: int, scenario: Scenario) -> None:
    """Raise `UsageError` when there are more processes than users."""
    if processes > scenario.peak_users:
        raise UsageError(f"{processes} processes for {scenario.peak_users:,} users: some would have none")


@contextmanager
def stack_up(stack: Stack) -> Iterator[None]:
    """Have the stack up while the body runs, and say where it is."""
    with stack.up() as started:
        print(f"{stack.name} stack {'started' if started else 'was up already'}: {stack.url}", flush=True)
        yield


def judge(directory: ReportDirectory) -> int:
    """Judge a run by its report directory and print the verdict, in another process. Returns its exit code."""
    return analysed("analysis", str(directory.path), result=directory.path / VERDICT)


def drive(scenario: Scenario, stack: Stack, reports: Path, load: Load) -> ReportDirectory:
    """Run Locust, and record what the stack claims, used and logged. Returns the report directory."""
    stack.require_log_space(scenario.requests)
    directory = ReportDirectory.new(reports, scenario.name)
    with recording(stack, directory, scenario, by_configuration=load.claim is None):
        _run_locust(stack, directory, _arguments(scenario, stack, directory, load))
    return directory


def _arguments(scenario: Scenario, stack: Stack, directory: ReportDirectory, load: Load) -> list[str]:
    def path(path: Path) -> str:
        return stack.path_for_locust(path, directory.reports)

    locustfile = _locustfile(scenario)
    return [
        *("--headless", "--only-summary", "--locustfile", path(locustfile)),
        *(["--scenario", scenario.name] if locustfile == ANY_SCENARIO else []),
        *("--host", stack.target, "--stack", stack.name, "--claim", load.claim or path(directory.conf_path)),
        *("--report-directory", path(directory.path)),
        *(["--with-faults"] if scenario.faults else []),
        *("--logfile", path(directory.path / LOG), "--json-file", path(directory.path / "locust")),
        *load.arguments(stack.port_offset),
    ]


def _locustfile(scenario: Scenario) -> Path:
    """The locustfile of a scenario: one of its own where there is one, else the one for any scenario."""
    own = LOCUSTFILES / f"{scenario.name.replace('-', '_')}.py"
    return own if own.exists() else ANY_SCENARIO


def _run_locust(stack: Stack, directory: ReportDirectory, arguments: list[str]) -> None:
    """Run Locust to its end. Raises `UsageError` when it ends before the run has begun.

    There is no deadline: a run takes as long as its load. Ctrl-C ends it.
    """

    def start() -> subprocess.Popen[bytes]:
        return stack.start_locust(arguments, directory.reports)

    def end(locust: subprocess.Popen[bytes]) -> None:
        has_begun = directory.manifest_path.exists()
        end_locust(locust, stack, has_begun=has_begun)
        if has_begun:
            print(f"stopped; what was recorded is in {directory.path}", file=sys.stderr)

    with child(start, end) as locust:
        locust.wait()
    if not directory.manifest_path.exists():
        last_lines = log_tail(directory.path / LOG)
        raise UsageError(f"Locust ended with exit code {locust.returncode} before the run began: {last_lines}")


def end_locust(locust: subprocess.Popen[bytes], stack: Stack, *, has_begun: bool) -> None:
    """End a run in good order, or at once when it has not begun."""
    stack.signal_locust(locust, signal.SIGINT if has_begun else signal.SIGKILL)
    try:
        locust.wait(LOCUST_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        stack.signal_locust(locust, signal.SIGKILL)
        locust.wait(LOCUST_ENDS_WITHIN_S)
