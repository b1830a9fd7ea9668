"""What every test has: a deadline, signals that are heeded, and, where it asks, a stack."""

import os
import signal
from contextlib import contextmanager

import pytest
from hypothesis import settings

from scenarios.stacks.local.stack import LocalStack
from tests.builders.local_stacks import offset_of_its_own

DEADLINE_S = 300  # for a test, and for what it shares with others: no wait of ours is meant to last so long


def pytest_configure():
    """Heed Ctrl-C and SIGTERM: both end a test in order, and what it started.

    A script that starts this with `&` has SIGINT ignored, and every process that a test starts would inherit that.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


# How long one example takes depends on how busy the machine is: the limit is that of the whole test.
settings.register_profile("every", deadline=None)
settings.register_profile("few", deadline=None, max_examples=25)
settings.load_profile("every")


@contextmanager
def deadline(within_s):
    """Fail what takes longer than so many seconds, where it is then."""

    def fail(*_):
        pytest.fail(f"took longer than {within_s} s")

    before = signal.signal(signal.SIGALRM, fail)
    left_s, _ = signal.setitimer(signal.ITIMER_REAL, within_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left_s)
        signal.signal(signal.SIGALRM, before)


def deadline_of(item):
    mark = item.get_closest_marker("deadline")
    return deadline(mark.args[0] if mark else DEADLINE_S)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    with deadline_of(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    with deadline_of(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    with deadline_of(item):
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def no_step_summary():
    """Reports of tests are not those of the step that runs them."""
    os.environ.pop("GITHUB_STEP_SUMMARY", None)


@pytest.fixture
def offset():
    """A port offset of this test's own; what still runs there afterwards is a failure, and is stopped."""
    with offset_of_its_own() as offset:
        yield offset


@pytest.fixture
def stack(offset):
    """The local stack, freshly started."""
    stack = LocalStack(offset)
    with stack.up():
        yield stack


@pytest.fixture
def reports(tmp_path):
    return tmp_path / "reports"
