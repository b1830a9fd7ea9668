"""Processes that tests start: each has a deadline, and ends with the test, whatever came of that."""

import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress

import psutil

from scenarios.formats.columns import Column
from scenarios.stacks.stack import PROJECT

ENDS_WITHIN_S = {signal.SIGTERM: 40.0, signal.SIGKILL: 10.0}  # a stack of containers takes its time to go


@contextmanager
def running(command, **options):
    """Start a process in a session of its own. What still runs at the end of the body is ended, with its children."""
    words = list(map(str, command))
    with subprocess.Popen(words, **{"cwd": PROJECT, "start_new_session": True} | options) as process:
        try:
            yield process
        except BaseException:
            end(process)
            raise
        if process.poll() is None:  # what ended by itself and left others is for the test to find
            end(process)


def completed(command, within_s=60.0, **options):
    """Run a process to its end. What it said is text; one that takes longer is ended, and the test fails."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with running(command, **pipes | options) as process:
        said = process.communicate(timeout=within_s)
    return subprocess.CompletedProcess(process.args, process.returncode, *said)


def end(process):
    """End a process and its group: in good order when that comes soon, else on the spot."""
    for number, within_s in ENDS_WITHIN_S.items():
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        deadline = time.monotonic() + within_s
        while (process.poll() is None or any(in_group(process.pid))) and time.monotonic() < deadline:
            time.sleep(0.05)


def in_group(group):
    """The processes of a group that still run."""
    for process in psutil.process_iter(["status"]):
        with suppress(ProcessLookupError):
            if os.getpgid(process.pid) == group and process.info[Column.STATUS] != psutil.STATUS_ZOMBIE:
                yield process


def wait_for(condition, within_s=30.0):
    """Wait until the condition holds. Fails after so many seconds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {within_s} s"
        time.sleep(0.05)


def command_of(process):
    """The words of its command; none when it is gone."""
    with suppress(psutil.Error):
        return process.cmdline()
    return []
