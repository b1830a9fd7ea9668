"""Locust with its web interface, and the attendant of its runs: one that is started there leaves a report as any."""

import os
import secrets
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

from scenarios.attendance import Allowed, Asked, Ended, Judged, Listening, Refused, Welcome, Word, heard, spoken
from scenarios.definition import Scenario, names
from scenarios.errors import UsageError
from scenarios.evidence import CONF, evidence
from scenarios.faults import FAULTS, sentence
from scenarios.interruption import Interrupted, child
from scenarios.last_words import last_words
from scenarios.report_directory import ReportDirectory
from scenarios.runner import LOG, Load, end_locust, judged
from scenarios.stacks.ports import require_free
from scenarios.stacks.stack import PROJECT, Site, Stack

LOCUSTFILE = PROJECT / "locustfiles" / "any_scenario.py"
WEB_LOG = "web.log"
PASSWORD = "WEB_PASSWORD"  # noqa: S105 - the name of the variable


def serve(scenario: Scenario, stack: Stack, reports: Path, site: Site, processes: int) -> int:
    """Bring the stack up and offer every scenario in Locust's web interface, this one first, until it is interrupted.

    Returns the exit code. Raises `UsageError` when it cannot be started, `Interrupted` when that comes in a run.
    """
    _require_address(site.host)
    require_free({"Locust's web interface": site.port})
    reports.mkdir(parents=True, exist_ok=True)
    with suppress(UsageError):  # fewer may do; a run that needs more is refused when it is asked for
        stack.require_open_files(max(Scenario.load(name).peak_users for name in names()))
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


def _require_address(host: str) -> None:
    try:
        socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        raise UsageError(f"WEB_HOST is {host!r}, which is no address of this machine: {error.strerror}") from error


class Attendant:
    """Stands by Locust: keeps the evidence of a run that begins there, and judges it when it has ended.

    What it keeps open during a run it puts on `running`, which is to be closed when Locust has ended.
    """

    def __init__(self, stack: Stack, reports: Path, processes: int, running: ExitStack) -> None:
        self._stack = stack
        self._reports = reports
        self._processes = processes
        self._running = running
        self._log = reports / WEB_LOG
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
                self._answer(locust, heard(line), site, password)
            code = locust.wait()
        raise UsageError(f"Locust ended with exit code {code}: {last_words(self._log)}")

    def _arguments(self, scenario: Scenario, password: str | None) -> list[str]:
        def seen(path: Path) -> str:
            return self._stack.seen_by_locust(path, self._reports)

        return [
            *("--attended", "--locustfile", seen(LOCUSTFILE), "--scenario", scenario.name),
            *("--host", self._stack.target, "--stack", self._stack.name, "--logfile", seen(self._log)),
            *Load(processes=self._processes).arguments(),
            *(["--web-login"] if password else []),
        ]

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
        try:
            scenario = Scenario.load(asked.scenario).scaled(asked.requests, asked.users)
            self._require_ready(scenario)
            directory = ReportDirectory.new(self._reports, scenario.name)
            self._running.enter_context(evidence(self._stack, directory, by_configuration=True))
        except FAULTS as fault:
            return Refused(reason=sentence(fault))
        self.directory = directory
        self._logged = self._log.stat().st_size if self._log.exists() else 0
        seen = self._stack.seen_by_locust
        return Allowed(directory=seen(directory.path, self._reports), claim=seen(directory.path / CONF, self._reports))

    def _require_ready(self, scenario: Scenario) -> None:
        if self._processes > scenario.peak_users:
            raise UsageError(f"{self._processes} processes for {scenario.peak_users:,} users: some would have none")
        if not self._stack.is_up():
            missing = ", ".join(each.name for each in self._stack.states() if each.text == "not running")
            raise UsageError(
                f"the {self._stack.name} stack is not up any more ({missing or 'not every service is healthy'}): "
                "end `make web` with Ctrl-C and start it again"
            )
        self._stack.require_open_files(scenario.peak_users)
        self._stack.require_room(scenario.requests)

    def _judge(self) -> Judged:
        directory, self.directory = self.directory, None
        try:
            self._close(directory)
        except FAULTS as fault:
            return Judged(fault=sentence(fault))
        if directory is None or not directory.manifest_path.exists():
            return Judged(fault="the run did not begin, and left nothing")
        print(flush=True)
        code = judged(directory)
        return Judged(fault=None if code in (0, 1, 3) else f"it could not be judged: see {directory.path}")

    def _close(self, directory: ReportDirectory | None) -> None:
        """Complete the evidence of the run that has ended, Locust's log of it included."""
        self._running.close()
        if directory is not None and directory.path.exists():
            with self._log.open("rb") as log:
                log.seek(self._logged)
                (directory.path / LOG).write_bytes(log.read())

    def _end(self, locust: subprocess.Popen[bytes]) -> None:
        """End Locust, and a run that goes on with it."""
        begun = self.directory is not None and self.directory.manifest_path.exists()
        end_locust(locust, self._stack, begun=begun)
        self._close(self.directory)
        if begun:
            assert self.directory is not None
            print(f"stopped; what was recorded is in {self.directory.path}", file=sys.stderr)
