"""Serves Locust's web interface. A run that is started there is recorded and judged like any other."""

import os
import secrets
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

from scenarios.cli.exit_codes import CRASH, VERDICTS
from scenarios.cli.log_tail import log_tail
from scenarios.cli.signals import Interrupted, child
from scenarios.formats.messages import (
    Listening,
    Message,
    RunAllowed,
    RunEnded,
    RunJudged,
    RunRefused,
    RunRequested,
    Welcome,
    decoded,
    encoded,
)
from scenarios.formats.report_directory import ReportDirectory
from scenarios.run.fault_injector import require_possible
from scenarios.run.recording import recording
from scenarios.run.runner import (
    ANY_SCENARIO,
    LOCUST_ENDS_WITHIN_S,
    LOG,
    Load,
    end_locust,
    judge,
    require_a_user_each,
    require_on_the_stack,
    stack_up,
)
from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import Scenario, names
from scenarios.stacks.ports import require_free
from scenarios.stacks.registry import USER_ERRORS, sentence
from scenarios.stacks.stack import PROJECT, Stack, WebAddress

PASSWORD = "WEB_PASSWORD"  # noqa: S105 - the name of the variable


def serve(scenario: Scenario, stack: Stack, reports: Path, address: WebAddress, processes: int) -> int:
    """Have the stack up and offer every scenario in Locust's web interface, this one first, until an interruption.

    Returns the exit code. Raises `UsageError` when it cannot be started, `Interrupted` when that comes during a run.
    """
    require_free({"Locust's web interface": address.port})
    _require_address(address)
    reports.mkdir(parents=True, exist_ok=True)
    most_users = max(Scenario.load(name).peak_users for name in names())
    with suppress(UsageError):  # fewer may be enough; a run that needs more is refused when it is asked for
        stack.require_open_files(most_users)
    with stack.locked(), stack_up(stack), ExitStack() as recordings:
        parent = WebParent(stack, reports, processes, recordings)
        try:
            parent.serve(scenario, address)
        except Interrupted:
            if parent.directory is not None:
                raise
    print("\nended")
    return 0


def address_at(host: str, port: int) -> WebAddress:
    """The web address for an address or a name of this machine. Raises `UsageError` when the name is unknown."""
    try:
        return WebAddress(str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]), port)
    except OSError as error:
        raise UsageError(f"WEB_HOST is {host!r}, which is no address: {error.strerror}") from error


def _require_address(address: WebAddress) -> None:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        socket.create_server((address.host, address.port), family=family).close()
    except OSError as error:
        raise UsageError(
            f"Locust's web interface cannot be at {address.address}: {error.strerror}: "
            "WEB_HOST is to be an address of this machine"
        ) from error


class WebParent:
    """The parent of Locust: it records a run that begins there, and judges the run when it has ended.

    The recording of the run under way is on `recordings`, which the caller closes after Locust has ended.
    """

    def __init__(self, stack: Stack, reports: Path, processes: int, recordings: ExitStack) -> None:
        self._stack = stack
        self._reports = reports
        self._processes = processes
        self._recordings = recordings
        self._log = reports / f"web-{stack.directory.name}.log"
        self._log_start = 0  # its bytes before the run
        self.directory: ReportDirectory | None = None  # of the run under way

    def serve(self, scenario: Scenario, address: WebAddress) -> None:
        """Start Locust and answer its messages. Raises `UsageError` when it ends by itself."""
        password = (os.environ.get(PASSWORD) or secrets.token_urlsafe(12)) if address.is_open else None
        self._log.unlink(missing_ok=True)

        def start() -> subprocess.Popen[bytes]:
            return self._stack.start_locust(self._arguments(scenario, password), self._reports, address)

        with child(start, self._end) as locust:
            self._send(locust, Welcome(password=password))
            assert locust.stdout is not None
            for line in locust.stdout:
                self._receive(locust, line, address, password)
            code = _exit_code(locust)
        reason = f"Locust ended with exit code {code}: {log_tail(self._log)}"
        if self.directory is not None:
            self._judge()
        raise UsageError(reason)

    def _arguments(self, scenario: Scenario, password: str | None) -> list[str]:
        def path(path: Path) -> str:
            return self._stack.path_for_locust(path, self._reports)

        return [
            *("--web-parent", "--locustfile", path(ANY_SCENARIO), "--scenario", scenario.name),
            *("--host", self._stack.target, "--stack", self._stack.name, "--logfile", path(self._log)),
            *Load(processes=self._processes).arguments(self._stack.port_offset),
            *(["--web-login"] if password else []),
        ]

    def _receive(self, locust: subprocess.Popen[bytes], line: bytes, address: WebAddress, password: str | None) -> None:
        try:
            message = decoded(line)
        except ValueError:  # other code may print until Locust takes standard output for itself
            print(line.decode(errors="replace"), end="", file=sys.stderr)
        else:
            self._answer(locust, message, address, password)

    def _answer(
        self, locust: subprocess.Popen[bytes], message: Message, address: WebAddress, password: str | None
    ) -> None:
        match message:
            case Listening():
                print(f"Locust's web interface: {address.url}   (Ctrl-C ends it)", flush=True)
                if password:
                    print(f"it is open to others; the password is {password}", flush=True)
            case RunRequested():
                self._send(locust, self._allow(message))
            case RunEnded():
                self._send(locust, self._judge())

    def _send(self, locust: subprocess.Popen[bytes], message: Message) -> None:
        assert locust.stdin is not None
        with suppress(BrokenPipeError):  # Locust has ended, and its output ends too
            locust.stdin.write(encoded(message))
            locust.stdin.flush()

    def _allow(self, asked: RunRequested) -> RunAllowed | RunRefused:
        """Begin to record a run, or say why it cannot begin."""
        if self.directory is not None:
            return RunRefused(reason="the last run has not ended yet")
        try:
            scenario = Scenario.load(asked.scenario).scaled(asked.requests, asked.users)
            self._require_ready(scenario)
            directory = ReportDirectory.new(self._reports, scenario.name)
            self._recordings.enter_context(recording(self._stack, directory, scenario, by_configuration=True))
        except USER_ERRORS as fault:
            return RunRefused(reason=sentence(fault) or repr(fault))
        self.directory = directory
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        path = self._stack.path_for_locust
        return RunAllowed(directory=path(directory.path, self._reports), claim=path(directory.conf_path, self._reports))

    def _require_ready(self, scenario: Scenario) -> None:
        require_a_user_each(self._processes, scenario)
        require_on_the_stack(scenario)
        require_possible(self._stack, scenario.faults)
        self._stack.wait_for_health_checks()
        if not self._stack.is_up():
            missing = ", ".join(each.name for each in self._stack.states() if each.text == "not running")
            raise UsageError(
                f"the {self._stack.name} stack is not up any more ({missing or 'not every service is healthy'}): "
                "end `make web` with Ctrl-C and start it again"
            )
        self._stack.require_open_files(scenario.peak_users)
        self._stack.require_log_space(scenario.requests)

    def _judge(self) -> RunJudged:
        """Complete and judge the run that has ended. If that is interrupted, the run counts as still under way."""
        assert self.directory is not None
        try:
            self._close(self.directory)
            found = judged(self.directory)
        except USER_ERRORS as fault:
            found = RunJudged(fault=sentence(fault))
        self.directory = None
        return found

    def _close(self, directory: ReportDirectory) -> None:
        """Complete the recording of the run that has ended, with its part of Locust's log."""
        self._recordings.close()
        if directory.path.exists():
            with self._log.open("rb") as log:
                log.seek(self._log_start)
                (directory.path / LOG).write_bytes(log.read())

    def _end(self, locust: subprocess.Popen[bytes]) -> None:
        """End Locust, and with it a run under way: at the end of its input it ends in good order."""
        assert locust.stdin is not None
        with suppress(BrokenPipeError):
            locust.stdin.close()
        try:
            locust.wait(LOCUST_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            end_locust(locust, self._stack, has_begun=False)
            with suppress(ProcessLookupError):
                os.killpg(locust.pid, signal.SIGKILL)  # the workers that it has left
        if self.directory is not None:
            self._close(self.directory)
        if self.directory is not None and self.directory.path.exists():
            print(f"stopped; what was recorded is in {self.directory.path}", file=sys.stderr)


def _exit_code(locust: subprocess.Popen[bytes]) -> int:
    """The exit code of a Locust whose output has ended. Raises `UsageError` when Locust itself does not end."""
    try:
        return locust.wait(LOCUST_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        raise UsageError(f"Locust closed its output and did not end within {LOCUST_ENDS_WITHIN_S:g} s") from None


def judged(directory: ReportDirectory) -> RunJudged:
    """Judge a run and say on its page when that was not possible. A crash of the analysis is no verdict."""
    if not directory.manifest_path.exists():
        return RunJudged()  # the run did not begin, and the page says why
    print(flush=True)
    code = judge(directory)
    if code in VERDICTS:
        return RunJudged()
    failure = "The analysis crashed" if code == CRASH else "The run could not be judged"
    again = f"make report RUN={os.path.relpath(directory.path, PROJECT)}"
    return RunJudged(fault=f"{failure}: the terminal says why, and `{again}` says it again.")
