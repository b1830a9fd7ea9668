"""Runs a scenario as a person would: stack up, Locust, analysis, and the stack down if it was not up before."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from scenarios import open_files
from scenarios.definition import Scenario
from scenarios.errors import UsageError
from scenarios.last_words import last_words
from scenarios.report_directory import ReportDirectory
from scenarios.stacks.local import PROJECT, LocalStack

LOG = "locust.log"
LOCUST_GIVES_UP_WITHIN_S = 30.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # that end what is going on


class Interrupted(BaseException):
    """Someone wants this to end now; `exit_code` is the shell's for it."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


def run(scenario: Scenario, stack: LocalStack, reports: Path, requests: int | None, users: int | None) -> int:
    """Run a scenario on a stack and judge it; its report directory is made under `reports`.

    Returns the exit code: 0 PASS, 1 FAIL, 3 INVALID. Raises `UsageError` when the run cannot be started, `Interrupted`
    on Ctrl-C and on SIGTERM. Nothing is left running.
    """
    as_asked = scenario.scaled(requests, users)
    open_files.allow(as_asked.peak_users)
    if not locustfile(scenario).exists():
        raise UsageError(f"{locustfile(scenario)}: is missing: every scenario has a locustfile of its name")
    (reports / scenario.name).mkdir(parents=True, exist_ok=True)
    with stack.reserved():
        print(f"{scenario.name}: {scenario.claim}", flush=True)
        if as_asked != scenario:
            print(f"scaled to {as_asked.requests:,} requests and {as_asked.peak_users:,} users", flush=True)
        with stack.up() as started:
            print(f"{stack.name} stack {'started' if started else 'was up already'}: {stack.target}", flush=True)
            directory = ReportDirectory.new(reports, scenario.name)
            _drive(scenario, stack, directory, requests, users)
    print(flush=True)
    return subprocess.run([sys.executable, "-m", "analysis", str(directory.path)], cwd=PROJECT, check=False).returncode


def _drive(
    scenario: Scenario, stack: LocalStack, directory: ReportDirectory, requests: int | None, users: int | None
) -> None:
    log = directory.path / LOG
    command = [
        *(sys.executable, "-m", "locust", "--headless", "--only-summary"),
        *("--locustfile", str(locustfile(scenario))),
        *("--host", stack.target, "--stack", stack.name, "--claim", str(stack.claimed_conf)),
        *("--report-directory", str(directory.path)),
        *("--logfile", str(log), "--json-file", str(directory.path / "locust")),
        *(() if requests is None else ("--scale-requests", str(requests))),
        *(() if users is None else ("--scale-users", str(users))),
    ]
    # a session of its own: Ctrl-C on the terminal reaches this process only, which then passes it on once
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # until the process is known, or nobody could end it
    locust = subprocess.Popen(
        command,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_heed_signals,  # noqa: PLW1509 - there is only this thread
    )
    try:
        _heed_signals()
        locust.wait()
    except Interrupted:
        begun = directory.manifest_path.exists()
        _end(locust, begun=begun)
        if begun:
            print(f"stopped; what was recorded is in {directory.path}", file=sys.stderr)
        else:
            shutil.rmtree(directory.path)
        raise
    if not directory.manifest_path.exists():
        raise UsageError(f"Locust ended with exit code {locust.returncode} before the run began: {last_words(log)}")


def _heed_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def locustfile(scenario: Scenario) -> Path:
    """The locustfile of a scenario."""
    return PROJECT / "locustfiles" / f"{scenario.name.replace('-', '_')}.py"


def _end(locust: subprocess.Popen[bytes], *, begun: bool) -> None:
    """End a run in good order, or a Locust that has not begun one at once."""
    locust.send_signal(signal.SIGINT if begun else signal.SIGKILL)
    try:
        locust.wait(LOCUST_GIVES_UP_WITHIN_S)
    except subprocess.TimeoutExpired:
        locust.kill()
        locust.wait()


def interrupt(number: int, _frame: FrameType | None) -> None:
    """Signal handler: raise `Interrupted`, once."""
    signal.signal(number, signal.SIG_IGN)  # the first word is enough: a second one must not stop the cleaning up
    raise Interrupted(128 + number)
