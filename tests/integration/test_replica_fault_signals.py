"""The signals that set and clear the fault switches of a replica."""

import signal

import pytest

from scenarios.formats.columns import Column
from scenarios.spec.target import MODEL
from tests.builders.http import ask
from tests.builders.processes import wait_for
from tests.builders.replica import counters, post, running


@pytest.fixture(scope="module")
def replica():
    with running() as (process, port):
        yield process, f"http://127.0.0.1:{port}"


@pytest.fixture
def send_signal(replica):
    """Send the replica a signal; clear its faults at the end."""
    process, url = replica
    yield process.send_signal
    process.send_signal(signal.SIGCONT)
    wait_for(lambda: is_well(url), within_s=5)


def is_well(url):
    return ask(f"{url}/health").status == 200 and post(url, MODEL).status == 201


def test_sigusr1_stops_the_creating_of_models_and_nothing_else(replica, send_signal):
    _, url = replica
    send_signal(signal.SIGUSR1)
    wait_for(lambda: post(url, MODEL).status == 503, within_s=5)
    before = counters(url)
    answer = post(url, MODEL)
    assert (answer.status, answer.json["success"]) == (503, False)
    assert answer.json["host"].startswith("tag: back-01 ")
    assert "data" not in answer.json
    assert counters(url) == before | {"failed": before[Column.FAILED] + 1}
    assert ask(f"{url}/health").status == 200


def test_sigusr2_fails_the_health_check_and_nothing_else(replica, send_signal):
    _, url = replica
    send_signal(signal.SIGUSR2)
    wait_for(lambda: ask(f"{url}/health").status == 503, within_s=5)
    assert ask(f"{url}/health").json["success"] is False
    assert post(url, MODEL).status == 201


def test_sigcont_ends_both_faults(replica, send_signal):
    _, url = replica
    send_signal(signal.SIGUSR1)
    send_signal(signal.SIGUSR2)
    wait_for(lambda: (post(url, MODEL).status, ask(f"{url}/health").status) == (503, 503), within_s=5)
    send_signal(signal.SIGCONT)
    wait_for(lambda: is_well(url), within_s=5)


def test_sigcont_after_sigstop_leaves_no_fault(replica, send_signal):
    _, url = replica
    send_signal(signal.SIGSTOP)
    send_signal(signal.SIGCONT)
    wait_for(lambda: is_well(url), within_s=5)
