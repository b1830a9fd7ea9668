from typing import NamedTuple

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from locustfiles.gate import Ticket
from locustfiles.ledgers import response_of
from locustfiles.rows import Rows, unpacked
from scenarios.ledgers import Response


class Row(NamedTuple):
    number: int
    text: str


@given(st.lists(st.builds(Row, st.integers(-(2**63), 2**63 - 1), st.text(max_size=3))))
def test_rows_arrive_as_they_were_added_and_are_sent_once(sent):
    rows = Rows()
    for row in sent:
        rows.add(row)
    message = msgpack.loads(msgpack.dumps(rows.pack()))
    assert list(unpacked(message, Row)) == sent
    assert list(unpacked(rows.pack(), Row)) == []


def test_a_text_that_comes_again_travels_once():
    rows = Rows()
    for number in range(1000):
        rows.add(Row(number, f"back-0{number % 3}"))
    assert len(msgpack.dumps(rows.pack())) < 13_000


class Answered:
    status_code = 201

    def header(self, name):
        return {b"x-host-tag": "back-01"}[name]


def test_a_request_event_becomes_a_row_column_by_column():
    event = {
        "start_time": 1.5,
        "response_time": 2.25,
        "context": {"ticket": Ticket("id-1", "calm"), "connect_s": 0.001, "late_s": 0.002},
    }
    assert response_of(**event, response=Answered(), exception=None, name="ignored") == Response(
        sent_us=1_500_000,
        latency_us=2250,
        connect_us=1000,
        late_us=2000,
        host_tag="back-01",
        status=201,
        stage="calm",
        request_id="id-1",
        error="",
    )
    failed = response_of(**event, response=None, exception=OSError("no"))
    assert (failed.host_tag, failed.status, failed.error) == ("", 0, "OSError: no")
