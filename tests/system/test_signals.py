"""SIGTERM ends each kind of Locust in order at any moment, where SIGINT is inherited as ignored too."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import pytest

from scenarios.formats.columns import Column
from tests.builders.free_ports import port_offset
from tests.builders.http import ask
from tests.builders.misbehaving_target import WHOLE, receive, serving
from tests.builders.processes import running, wait_for
from tests.builders.whole_runs import manifest, rows

QUIET = subprocess.DEVNULL
ENDS_WITHIN_S = 20.0
KINDS = ["plain", "processes", "web", "web processes"]
INTERRUPTED, KILLED = 3, 128 + signal.SIGTERM


class SlowTarget:
    """Answers every request after 20 ms, and keeps the ids of those that it received."""

    def __init__(self):
        self.ids = []

    def __call__(self, connection):
        while request := receive(connection):
            self.ids.append(request.partition(b"X-Request-Id: ")[2].partition(b"\r\n")[0].decode())
            time.sleep(0.02)
            connection.sendall(WHOLE)


class StartedLocust:
    """Locust as a script starts it where SIGINT is ignored, in a session of its own."""

    def __init__(self, kind, address, directory, requests):
        offset = port_offset(5557, 8089)
        self.port, self.directory, self.log = 8089 + offset, directory / "report", directory / "locust.log"
        self.is_web, self.is_forked = kind.startswith("web"), kind.endswith("processes")
        master_port = str(5557 + offset)
        web = ["--web-host", "127.0.0.1", "--web-port", str(self.port)]
        forked = ["--processes", "2", "--master-bind-host", "127.0.0.1", "--master-bind-port", master_port]
        self.process = None  # once it is started
        self.command = (
            [*("sh", "-c", "trap '' INT; exec \"$@\"", "sh"),
             *(sys.executable, "-m", "locust", "-f", "locustfiles/baseline.py", "--host", f"http://{address}"),
             *("--claim", "back-01=1", "--scale-requests", str(requests), "--scale-users", "20"),
             *("--report-directory", str(self.directory), "--logfile", str(self.log)),
             *(web if self.is_web else ["--headless", "--only-summary"]),
             *([*forked, "--master-port", master_port] if self.is_forked else [])]
        )  # fmt: skip

    def has_logged(self, text):
        return self.log.exists() and text in self.log.read_text()

    def is_ready(self):
        """Whether its page can start a run, with all the workers that it forked."""
        try:
            stats = ask(f"http://127.0.0.1:{self.port}/stats/requests").json
        except OSError:
            return False
        return not self.is_forked or len(stats["workers"]) == 2

    def begin(self):
        """Start the run where that is asked for on the page."""
        if self.is_web:
            wait_for(self.is_ready)
            assert ask(f"http://127.0.0.1:{self.port}/swarm", b"").json["success"]

    def has_ended_its_run(self):
        path = self.directory / "manifest.json"
        return path.exists() and json.loads(path.read_text())["end"] is not None

    def processes(self):
        """The processes of its session, itself included."""
        return [process.pid for process in psutil.process_iter() if _session(process.pid) == self.process.pid]

    def end(self, number=signal.SIGTERM, *, group=False):
        """Send it the signal, and wait for its end. Returns the exit code."""
        (os.killpg if group else os.kill)(self.process.pid, number)
        code = self.process.wait(ENDS_WITHIN_S)
        assert self.processes() == []
        return code


def _session(pid):
    try:
        return None if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE else os.getsid(pid)
    except (psutil.Error, ProcessLookupError):
        return None


@contextmanager
def started(kind, directory, requests=50_000):
    """Locust of this kind, and the target that it is to send its requests to. Nothing of it is left afterwards."""
    target = SlowTarget()
    with serving(target) as address:
        locust = StartedLocust(kind, address, directory, requests)
        with running(locust.command, stdin=QUIET, stdout=QUIET, stderr=QUIET) as locust.process:
            try:
                yield locust, target
            finally:
                for pid in locust.processes():
                    os.kill(pid, signal.SIGKILL)
                locust.process.wait(ENDS_WITHIN_S)


def interrupted(kind, directory, number=signal.SIGTERM, **how):
    """The exit code of a Locust that is told to end in the middle of its run, whose record has to be whole."""
    with started(kind, directory) as (locust, target):
        locust.begin()
        wait_for(lambda: len(target.ids) > 500)
        code = locust.end(number, **how)
    end = manifest(locust.directory)["end"]
    assert (end["complete"], end["reason"]) == (False, "it was interrupted")
    ledger = rows(locust.directory)
    assert sorted(ledger[Column.REQUEST_ID]) == sorted(target.ids)
    assert set(ledger[Column.ERROR]) == {""}
    return code


@pytest.mark.parametrize(
    ("kind", "moment"),
    [
        *((kind, "Starting Locust") for kind in KINDS),
        *((kind, "reported as ready") for kind in KINDS if kind.endswith("processes")),
        *((kind, "Shape worker starting") for kind in KINDS if not kind.startswith("web")),
    ],
)
def test_sigterm_before_a_run_leaves_neither_a_process_nor_a_run(kind, moment, tmp_path):
    with started(kind, tmp_path) as (locust, target):
        wait_for(lambda: locust.has_logged(moment))
        code = locust.end()
    if locust.directory.exists():  # the run was quicker than the signal
        assert (code, moment) == (INTERRUPTED, "Shape worker starting")
        assert manifest(locust.directory)["end"]["reason"] == "it was interrupted"
        assert sorted(rows(locust.directory)[Column.REQUEST_ID]) == sorted(target.ids)
    else:
        assert code in ((KILLED, 0) if locust.is_web else (KILLED,))
        assert target.ids == []


@pytest.mark.parametrize("kind", KINDS)
def test_sigterm_during_a_run_ends_it_with_a_whole_record(kind, tmp_path):
    assert interrupted(kind, tmp_path) == INTERRUPTED


@pytest.mark.parametrize("kind", ["processes", "web processes"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_workers_and_master_ends_the_run_with_a_whole_record(kind, number, tmp_path):
    assert interrupted(kind, tmp_path, number, group=True) == INTERRUPTED


@pytest.mark.parametrize("kind", KINDS)
def test_sigterm_after_a_run_leaves_it_complete(kind, tmp_path):
    with started(kind, tmp_path, requests=2000) as (locust, target):
        locust.begin()
        wait_for(locust.has_ended_its_run)
        assert locust.end() == 0
    assert manifest(locust.directory)["end"]["complete"] is True
    assert sorted(rows(locust.directory)[Column.REQUEST_ID]) == sorted(target.ids)
