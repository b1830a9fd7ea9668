"""The signals that put a replica into a fault, and out of it."""

import signal

import pytest

from tests.backend.replica import MODEL, post, running, tally
from tests.conftest import ask, wait_for


@pytest.fixture(scope="module")
def replica():
    with running() as (process, port):
        yield process, f"http://127.0.0.1:{port}"


@pytest.fixture
def told(replica):
    """Send the replica a signal; afterwards all is well again."""
    process, url = replica
    yield process.send_signal
    process.send_signal(signal.SIGCONT)
    wait_for(lambda: is_well(url), within_s=5)


def is_well(url):
    return ask(f"{url}/health").status == 200 and post(url, MODEL).status == 201


def test_sigusr1_stops_the_creating_of_models_and_nothing_else(replica, told):
    _, url = replica
    told(signal.SIGUSR1)
    wait_for(lambda: post(url, MODEL).status == 503, within_s=5)
    before = tally(url)
    answer = post(url, MODEL)
    assert (answer.status, answer.json["success"]) == (503, False)
    assert answer.json["host"].startswith("tag: back-01 ")
    assert "data" not in answer.json
    assert tally(url) == before | {"failed": before["failed"] + 1}
    assert ask(f"{url}/health").status == 200


def test_sigusr2_fails_the_health_check_and_nothing_else(replica, told):
    _, url = replica
    told(signal.SIGUSR2)
    wait_for(lambda: ask(f"{url}/health").status == 503, within_s=5)
    assert ask(f"{url}/health").json["success"] is False
    assert post(url, MODEL).status == 201


def test_sigcont_ends_both_faults(replica, told):
    _, url = replica
    told(signal.SIGUSR1)
    told(signal.SIGUSR2)
    wait_for(lambda: (post(url, MODEL).status, ask(f"{url}/health").status) == (503, 503), within_s=5)
    told(signal.SIGCONT)
    wait_for(lambda: is_well(url), within_s=5)


def test_a_replica_that_was_stopped_and_continued_is_well(replica, told):
    _, url = replica
    told(signal.SIGSTOP)
    told(signal.SIGCONT)
    wait_for(lambda: is_well(url), within_s=5)
