import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from scenarios.stacks.local import LocalStack
from tests.free_ports import port_offset

PROJECT = Path(__file__).parent.parent
PORTS = (8001, 8002, 8003, 8080)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


def ask(url, data=None, method=None, headers=None):
    """One HTTP request; an answer is an answer, whatever its status."""
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return Answer(response.status, _lower(response.headers), response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _lower(error.headers), error.read())


def wait_for(condition, within_s=30.0):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def _lower(headers):
    return {name.lower(): value for name, value in headers.items()}


def scenarios(*arguments, offset=0, stack="local", timeout=120, **options):
    """Run the command line as a person would, in a process of its own."""
    command = [sys.executable, "-m", "scenarios", "--stack", stack, "--port-offset", str(offset), *map(str, arguments)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=timeout, check=False, **options)


def processes_of(offset):
    """Every process of the stack at this offset: who listens on its ports, and who was started for it."""
    ports = {port + offset for port in PORTS}
    listeners = {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port in ports
    }
    marks = {str(number) for number in (offset, *ports)}
    started = {process.pid for process in psutil.process_iter() if marks & set(command_of(process))}
    return sorted((listeners | started) - {os.getpid()})


def command_of(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.fixture(scope="session", autouse=True)
def no_step_summary():
    """Reports of tests are not those of the step that runs them."""
    os.environ.pop("GITHUB_STEP_SUMMARY", None)


def forget(offset):
    """Remove what the stack at this offset has written: it would be found by whoever gets the same offset."""
    directory = LocalStack(offset).directory
    shutil.rmtree(directory, ignore_errors=True)
    directory.with_suffix(".lock").unlink(missing_ok=True)


@pytest.fixture
def offset():
    """A port offset of this test's own; whatever still runs there afterwards is a failure, and is stopped."""
    offset = port_offset(*PORTS)
    yield offset
    left = LocalStack(offset).stop()
    forget(offset)
    assert left == []
    assert processes_of(offset) == []


@pytest.fixture
def stack(offset):
    """The local stack, freshly started."""
    stack = LocalStack(offset)
    with stack.up():
        yield stack


@pytest.fixture
def reports(tmp_path):
    return tmp_path / "reports"
