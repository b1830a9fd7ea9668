from typing import NamedTuple

import msgpack
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.generator import own_faults
from locustfiles.generator.permits import Permit
from locustfiles.generator.records.ledger_writers import response_of
from locustfiles.generator.records.row_packing import RowBuffer, unpacked
from locustfiles.generator.transport.faults import GeneratorFault
from scenarios.formats.rows import Response


class Row(NamedTuple):
    number: int
    text: str


@given(st.lists(st.builds(Row, st.integers(-(2**63), 2**63 - 1), st.text(max_size=3))))
def test_rows_arrive_as_they_were_added_and_only_once(sent):
    rows = RowBuffer()
    for row in sent:
        rows.add(row)
    message = msgpack.loads(msgpack.dumps(rows.pack()))
    assert list(unpacked(message, Row)) == sent
    assert list(unpacked(rows.pack(), Row)) == []


def test_text_that_comes_again_travels_once():
    rows = RowBuffer()
    for number in range(1000):
        rows.add(Row(number, f"back-0{number % 3}"))
    assert len(msgpack.dumps(rows.pack())) < 13_000


class Answered:
    status_code = 201


EVENT = {
    "start_time": 1.5,
    "response_time": 2.25,
    "context": {"permit": Permit("id-1", "calm"), "tag": "back-01", "connect_s": 0.001, "late_s": 0.002},
}


class RenamedFault(GeneratorFault):
    """The same reason, in a class of another name."""


def test_error_on_the_generators_side_is_written_by_its_kind_and_not_by_a_class_name():
    error = response_of(**EVENT, response=None, exception=RenamedFault("stopped")).error
    assert error == "GeneratorFault: stopped"
    errors = pd.Series([error, "GeneratorFaults: no", "AnswerFault: GeneratorFault: no", "", None], dtype="category")
    assert own_faults(errors).tolist() == [True, False, False, False, False]


def test_request_event_becomes_a_row_column_by_column():
    assert response_of(**EVENT, response=Answered(), exception=None, name="ignored") == Response(
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
    failed = response_of(**EVENT, response=None, exception=OSError("no"))
    assert (failed.status, failed.error) == (0, "OSError: no")
