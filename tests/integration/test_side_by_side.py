"""The lanes in which the tests run, interrupted, and the deadline that each test has."""

import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.builders.processes import command_of, completed, running, wait_for
from tests.conftest import deadline

SLEEPS = """
from tests.builders.processes import running
def test_sleep_of_{name}_lasts():
    with running(["sleep", "{seconds}"]) as process:
        process.wait(200)
"""
LANES = """
import sys
from tests.side_by_side import code_of
told = ("-p", "tests.conftest", "-c", "pyproject.toml")
sys.exit(code_of([{name: (*told, name) for name in sys.argv[1:]}]))
"""


def ignoring_ctrl_c():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def sleeping(seconds):
    return [each for each in psutil.process_iter() if command_of(each) == ["sleep", seconds]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_lanes_interrupted_end_with_all_that_their_tests_started(tmp_path, number):
    naps = {name: f"{time.time() % 1000 + 1000:.4f}{place}" for place, name in enumerate(("one", "two"))}
    for name, seconds in naps.items():
        (tmp_path / f"test_{name}.py").write_text(SLEEPS.format(name=name, seconds=seconds))
    files = [tmp_path / f"test_{name}.py" for name in naps]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "preexec_fn": ignoring_ctrl_c}
    with running([sys.executable, "-c", LANES, *files], **options) as lanes:
        wait_for(lambda: all(map(sleeping, naps.values())) or lanes.poll() is not None, 60)
        lanes.send_signal(number)
        said, _ = lanes.communicate(timeout=60)
    assert lanes.returncode == 130, said.decode()
    assert [nap for nap in naps.values() if sleeping(nap)] == []


def test_test_over_its_deadline_fails_and_ends_what_it_started():
    nap = f"{time.time() % 1000 + 3000:.4f}"
    with pytest.raises(pytest.fail.Exception, match=r"took longer than 0\.3 s"), deadline(0.3), running(["sleep", nap]):
        time.sleep(30)
    assert sleeping(nap) == []


def test_command_over_its_deadline_fails_and_ends_with_its_children():
    nap = f"{time.time() % 1000 + 5000:.4f}"
    with pytest.raises(subprocess.TimeoutExpired):
        completed(["bash", "-c", f"sleep {nap}; true"], 0.5)
    assert sleeping(nap) == []
