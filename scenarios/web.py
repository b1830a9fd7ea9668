"""Locust with its web interface, and the attendant of its runs: one that is started there leaves a report as any."""

import os
import secrets
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

from scenarios.attendance import Allowed, Asked, Ended, Judged, Listening, Refused, Welcome, Word, heard, spoken
from scenarios.complaints import COMPLAINTS, sentence
from scenarios.definition import Scenario, names
from scenarios.errors import UsageError
from scenarios.evidence import evidence
from scenarios.interruption import Interrupted, child
from scenarios.last_words import last_words
from scenarios.report_directory import ReportDirectory
from scenarios.runner import LOCUST_GIVES_UP_WITHIN_S, LOG, Load, end_locust, judged, require_a_user_each
from scenarios.stacks.ports import require_free
from scenarios.stacks.stack import PROJECT, Site, Stack
from scenarios.striker import require_possible

LOCUSTFILE = PROJECT / "locustfiles" / "any_scenario.py"
VERDICTS = (0, 1, 3)  # exit codes of the analysis
PASSWORD = "WEB_PASSWORD"  # noqa: S105 - the name of the variable


def serve(scenario: Scenario, stack: Stack, reports: Path, site: Site, processes: int) -> int:
    """Bring the stack up and offer every scenario in Locust's web interface, this one first, until it is interrupted.

    Returns the exit code. Raises `UsageError` when it cannot be started, `Interrupted` when that comes in a run.
    """
    require_free({"Locust's web interface": site.port})
    _require_address(site)
    reports.mkdir(parents=True, exist_ok=True)
    most_users = max(Scenario.load(name).peak_users for name in names())
    with suppress(UsageError):  # fewer may do; a run that needs more is refused when it is asked for
        stack.require_open_files(most_users)
    with stack.reserved(), stack.up() as started, ExitStack() as running:
        print(f"{stack.name} stack {'started' if started else 'was up already'}: {stack.url}", flush=True)
        attendant = Attendant(stack, reports, processes, running)
        try:
            attendant.attend(scenario, site)
        except Interrupted:
            if attendant.directory is not None:
                raise
    print("\nended")
    return 0


def site_at(host: str, port: int) -> Site:
    """The site at an address or a name of this machine. Raises `UsageError` when nobody knows the name."""
    try:
        return Site(str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]), port)
    except OSError as error:
        raise UsageError(f"WEB_HOST is {host!r}, which is no address: {error.strerror}") from error


def _require_address(site: Site) -> None:
    family = socket.AF_INET6 if ":" in site.host else socket.AF_INET
    try:
        socket.create_server((site.host, site.port), family=family).close()
    except OSError as error:
        raise UsageError(
            f"Locust's web interface cannot be at {site.address}: {error.strerror}: "
            "WEB_HOST is to be an address of this machine"
        ) from error


class Attendant:
    """Stands by Locust: keeps the evidence of a run that begins there, and judges it when it has ended.

    What it keeps open during a run it puts on `running`, which is to be closed when Locust has ended.
    """

    def __init__(self, stack: Stack, reports: Path, processes: int, running: ExitStack) -> None:
        self._stack = stack
        self._reports = reports
        self._processes = processes
        self._running = running
        self._log = reports / f"web-{stack.directory.name}.log"
        self._logged = 0  # bytes of it before the run
        self.directory: ReportDirectory | None = None  # of the run that goes on

    def attend(self, scenario: Scenario, site: Site) -> None:
        """Start Locust and serve it. Raises `UsageError` when it ends by itself."""
        password = (os.environ.get(PASSWORD) or secrets.token_urlsafe(12)) if site.is_open else None
        self._log.unlink(missing_ok=True)

        def start() -> subprocess.Popen[bytes]:
            return self._stack.start_locust(self._arguments(scenario, password), self._reports, site)

        with child(start, self._end) as locust:
            self._say(locust, Welcome(password=password))
            assert locust.stdout is not None
            for line in locust.stdout:
                self._hear(locust, line, site, password)
            code = locust.wait()
        why = f"Locust ended with exit code {code}: {last_words(self._log)}"
        if self.directory is not None:
            self._judge()
        raise UsageError(why)

    def _arguments(self, scenario: Scenario, password: str | None) -> list[str]:
        def seen(path: Path) -> str:
            return self._stack.seen_by_locust(path, self._reports)

        return [
            *("--attended", "--locustfile", seen(LOCUSTFILE), "--scenario", scenario.name),
            *("--host", self._stack.target, "--stack", self._stack.name, "--logfile", seen(self._log)),
            *Load(processes=self._processes).arguments(self._stack.port_offset),
            *(["--web-login"] if password else []),
        ]

    def _hear(self, locust: subprocess.Popen[bytes], line: bytes, site: Site, password: str | None) -> None:
        try:
            word = heard(line)
        except ValueError:  # something there prints, as it may before Locust has taken its standard output away
            print(line.decode(errors="replace"), end="", file=sys.stderr)
        else:
            self._answer(locust, word, site, password)

    def _answer(self, locust: subprocess.Popen[bytes], word: Word, site: Site, password: str | None) -> None:
        match word:
            case Listening():
                print(f"Locust's web interface: {site.url}   (Ctrl-C ends it)", flush=True)
                if password:
                    print(f"it is open to others; the password is {password}", flush=True)
            case Asked():
                self._say(locust, self._allow(word))
            case Ended():
                self._say(locust, self._judge())

    def _say(self, locust: subprocess.Popen[bytes], word: Word) -> None:
        assert locust.stdin is not None
        with suppress(BrokenPipeError):  # Locust has ended: its output is at its end, too
            locust.stdin.write(spoken(word))
            locust.stdin.flush()

    def _allow(self, asked: Asked) -> Allowed | Refused:
        """Begin to keep the evidence of a run, or say why it cannot begin."""
        if self.directory is not None:
            return Refused(reason="the last run has not ended yet")
        try:
            scenario = Scenario.load(asked.scenario).scaled(asked.requests, asked.users)
            self._require_ready(scenario)
            directory = ReportDirectory.new(self._reports, scenario.name)
            self._running.enter_context(evidence(self._stack, directory, scenario, by_configuration=True))
        except COMPLAINTS as fault:
            return Refused(reason=sentence(fault))
        self.directory = directory
        self._logged = self._log.stat().st_size if self._log.exists() else 0
        seen = self._stack.seen_by_locust
        return Allowed(directory=seen(directory.path, self._reports), claim=seen(directory.conf_path, self._reports))

    def _require_ready(self, scenario: Scenario) -> None:
        require_a_user_each(self._processes, scenario)
        require_possible(self._stack, scenario.faults)
        self._stack.settle()
        if not self._stack.is_up():
            missing = ", ".join(each.name for each in self._stack.states() if each.text == "not running")
            raise UsageError(
                f"the {self._stack.name} stack is not up any more ({missing or 'not every service is healthy'}): "
                "end `make web` with Ctrl-C and start it again"
            )
        self._stack.require_open_files(scenario.peak_users)
        self._stack.require_room(scenario.requests)

    def _judge(self) -> Judged:
        """Complete and judge the run that has ended. If that is interrupted, the run is still the one that goes on."""
        assert self.directory is not None
        try:
            self._close(self.directory)
            found = self._judged(self.directory)
        except COMPLAINTS as fault:
            found = Judged(fault=sentence(fault))
        self.directory = None
        return found

    def _judged(self, directory: ReportDirectory) -> Judged:
        if not directory.manifest_path.exists():
            return Judged()  # it did not begin, and whoever wanted it was told why
        print(flush=True)
        if judged(directory) in VERDICTS:
            return Judged()
        again = f"make report RUN={os.path.relpath(directory.path, PROJECT)}"
        return Judged(fault=f"The run could not be judged: the terminal says why, and `{again}` says it again.")

    def _close(self, directory: ReportDirectory) -> None:
        """Complete the evidence of the run that has ended, Locust's log of it included."""
        self._running.close()
        if directory.path.exists():
            with self._log.open("rb") as log:
                log.seek(self._logged)
                (directory.path / LOG).write_bytes(log.read())

    def _end(self, locust: subprocess.Popen[bytes]) -> None:
        """End Locust, and a run that goes on with it: it ends in order when it hears nothing more."""
        assert locust.stdin is not None
        with suppress(BrokenPipeError):
            locust.stdin.close()
        try:
            locust.wait(LOCUST_GIVES_UP_WITHIN_S)
        except subprocess.TimeoutExpired:
            end_locust(locust, self._stack, begun=False)
            with suppress(ProcessLookupError):
                os.killpg(locust.pid, signal.SIGKILL)  # and the workers that it has left
        if self.directory is not None:
            self._close(self.directory)
        if self.directory is not None and self.directory.path.exists():
            print(f"stopped; what was recorded is in {self.directory.path}", file=sys.stderr)
