"""What a backend has counted, and every way in which it can fail to say so."""

import pytest

from scenarios.formats.rows import Processed
from scenarios.run.recorders import COUNTER_ERRORS, processed_at
from tests.builders.misbehaving_target import serving

COUNTERS = b'models_total{outcome="created"} 7\nmodels_total{outcome="rejected"} 2\nmodels_counted_since_seconds 1.5\n'


def answering(answer):
    def behave(connection):
        if connection.recv(65_536):
            connection.sendall(answer)

    return behave


def whole(body, head=b"X-Host-Tag: back-01\r\n"):
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


def test_the_counters_and_the_name_are_read():
    with serving(answering(whole(COUNTERS))) as address:
        found = processed_at("before", "back-02", f"http://{address}")
    assert found == Processed("before", "back-02", "back-01", 1_500_000, 7, 2)


def test_who_gives_no_name_has_none():
    with serving(answering(whole(COUNTERS, head=b""))) as address:
        assert processed_at("after", "back-01", f"http://{address}").host_tag == ""


@pytest.mark.parametrize(
    "answer",
    [
        whole(b""),
        whole(COUNTERS.replace(b"7", b"seven")),
        whole(COUNTERS)[:-20],
        b"rubbish\r\n\r\n",
        b"",
        b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["no counters", "no number", "cut off", "not HTTP", "closed", "failed"],
)
def test_a_backend_that_does_not_say_is_silent_and_crashes_nobody(answer):
    with serving(answering(answer)) as address, pytest.raises(COUNTER_ERRORS):
        processed_at("after", "back-01", f"http://{address}")
