"""Three ledgers that agree, and every way in which they can differ."""

import pytest

from analysis.checks.check import Outcome
from analysis.measures.reconciliation import Difference
from analysis.tables import Tables
from analysis.verdict import judge
from scenarios.formats.columns import Column
from scenarios.formats.rows import OWN_FAULT
from tests.builders.evidence import balanced, counted, evidence, logged, response, three_ledgers
from tests.builders.ledgers import EXACT, FAIL, INVALID, SPLITS, WEIGHTS, rows, turned


def of_kind(made):
    """The ids of every difference, and how many are meant by those that have none."""
    found = Tables.of(made).differences
    return {
        kind: [row.request_id or row.count for row in of_one.itertuples()]
        for kind, of_one in found.groupby(Column.DIFFERENCE, sort=False)
    }


def test_ledgers_that_agree_have_no_difference_and_the_split_is_exact_all_along():
    made = three_ledgers(rows(), WEIGHTS)
    assert of_kind(made) == {}
    assert turned(made) == {}
    table = Tables.of(made).reconciliation
    assert table.loc["c"].to_dict() == {"client": 500, "balancer": 500, "attempts": 500, "processed": 500}


def test_without_the_other_ledgers_only_the_client_is_believed_and_the_report_says_so():
    made = evidence(rows(), WEIGHTS)
    checks = {check.name: check for check in judge(made, Tables.of(made)).checks}
    assert checks["ledgers"].outcome is Outcome.UNTESTED


def one_changed(**columns):
    sent = rows()
    log = logged(sent)
    log[7] = log[7]._replace(**columns)
    return sent, log


@pytest.mark.parametrize(
    ("columns", "kind", "also"),
    [
        ({"status": 499}, Difference.ABANDONED, SPLITS | {"ledgers b": INVALID}),
        ({"host_tag": "a"}, Difference.ALTERED, {"ledgers a": FAIL, "ledgers b": INVALID}),
        ({"upstream_addresses": "a:80, b:80", "upstream_statuses": "502, 201"}, Difference.RETRIED, SPLITS),
        ({"upstream_statuses": "502"}, Difference.FAILED_ATTEMPT, SPLITS),
    ],
)
def test_a_request_that_went_another_way_is_named(columns, kind, also):
    sent, log = one_changed(**columns)
    made = three_ledgers(sent, WEIGHTS, log=log)
    assert of_kind(made)[kind] == ["id-7"]
    assert turned(made)[kind] in (FAIL, INVALID)
    assert also.items() <= turned(made).items()


def test_a_request_of_somebody_else_is_foreign_and_makes_the_split_untestable():
    sent = rows()
    made = three_ledgers(sent, WEIGHTS, log=[*logged(sent), balanced("somebody", tag="a", ended_s=1_002.0)],
                         counts=counted(EXACT | {"a": 168}))  # fmt: skip
    assert of_kind(made) == {Difference.FOREIGN: ["somebody"]}
    assert turned(made) == {Difference.FOREIGN: INVALID, "ledgers a": INVALID} | SPLITS


def test_a_row_that_the_client_dropped_is_told_apart_from_somebody_else_by_its_id():
    sent = rows()
    made = three_ledgers(sent[:-1], WEIGHTS, log=logged(sent), counts=counted(EXACT), requests=1000)
    assert of_kind(made) == {Difference.UNRECORDED: ["id-999"]}
    assert turned(made)[Difference.UNRECORDED] is INVALID


def test_a_request_that_the_balancer_never_logged_was_refused_or_is_missing_in_its_log():
    sent = [*rows(), response(1000, status=0, error="ConnectionResetError: reset")]
    assert of_kind(three_ledgers(sent, WEIGHTS, log=logged(sent[:-1]))) == {Difference.REFUSED: ["id-1000"]}
    made = three_ledgers(rows(), WEIGHTS, log=logged(rows()[1:]))
    assert of_kind(made)[Difference.UNLOGGED] == ["id-0"]
    assert turned(made)[Difference.UNLOGGED] is INVALID


def test_an_answer_that_did_not_arrive_whole_is_a_difference():
    sent = rows()
    sent[7] = sent[7]._replace(host_tag="", status=0, error="AnswerFault: closed within the answer")
    made = three_ledgers(sent, WEIGHTS, log=logged(rows()), counts=counted(EXACT))
    assert of_kind(made) == {Difference.ALTERED: ["id-7"]}
    assert turned(made)[Difference.ALTERED] is FAIL


def test_what_the_client_itself_gave_up_is_abandoned_however_it_ended_for_the_balancer():
    sent = rows()
    sent[7] = sent[7]._replace(host_tag="", status=0, error=f"{OWN_FAULT}: stopped")
    made = three_ledgers(sent, WEIGHTS, log=logged(rows()), counts=counted(EXACT))
    assert of_kind(made) == {Difference.ABANDONED: ["id-7"]}


def test_what_was_processed_for_a_client_that_had_left_is_abandoned_and_not_lost():
    sent, log = one_changed(status=499, upstream_statuses="-", host_tag="-", upstream_addresses="b:80")
    sent[7] = sent[7]._replace(status=0, host_tag="", error=f"{OWN_FAULT}: stopped")
    assert of_kind(three_ledgers(sent, WEIGHTS, log=log, counts=counted(EXACT))) == {Difference.ABANDONED: ["id-7"]}


def of_two(connect_times):
    """A request that went on from a to b, and what the ledgers say when a has counted one too many."""
    sent, log = one_changed(
        upstream_addresses="a:80, b:80", upstream_statuses="502, 201", upstream_connect_s=connect_times
    )
    return three_ledgers(sent, WEIGHTS, log=log, counts=counted(EXACT | {"a": 168}))


def test_a_request_that_a_second_backend_answered_was_processed_twice_if_the_first_has_counted_it():
    made = of_two("0.000, 0.000")
    assert of_kind(made) == {Difference.RETRIED: ["id-7"], Difference.TWICE: ["id-7"]}
    assert turned(made)[Difference.TWICE] is FAIL


def test_what_never_had_a_connection_was_not_processed_there():
    assert of_kind(of_two("-, 0.000")) == {Difference.RETRIED: ["id-7"], Difference.UNASKED: [1]}


def test_what_was_processed_and_not_answered_is_lost_in_flight():
    sent, log = one_changed(status=502, upstream_statuses="502", host_tag="-", upstream_addresses="b:80")
    sent[7] = sent[7]._replace(status=502, host_tag="", error="Unwanted: status 502")
    made = three_ledgers(sent, WEIGHTS, log=log, counts=counted(EXACT))
    assert of_kind(made) == {Difference.FAILED_ATTEMPT: ["id-7"], Difference.LOST: ["id-7"]}


@pytest.mark.parametrize(
    ("count", "kind"), [(332, Difference.UNCOUNTED), (334, Difference.UNASKED)]
)  # fmt: skip
def test_a_backend_that_miscounts_is_named_with_the_number(count, kind):
    made = three_ledgers(rows(), WEIGHTS, counts=counted(EXACT | {"b": count}))
    assert of_kind(made) == {kind: [1]}
    assert "ledgers b" in turned(made)


def test_a_request_that_is_logged_twice_is_named():
    sent = rows()
    made = three_ledgers(sent, WEIGHTS, log=[*logged(sent)[:4], *logged(sent)[3:]])
    assert of_kind(made) == {Difference.REPEATED: ["id-3"]}
    assert turned(made) == {Difference.REPEATED: INVALID} | SPLITS


def test_a_request_that_the_client_wrote_twice_is_nobodys_fault_but_its_own():
    sent = rows()
    made = three_ledgers([*sent, *[row for row in sent if row.host_tag == "c"][:5]], WEIGHTS, log=logged(sent),
                         counts=counted(EXACT), requests=1000)  # fmt: skip
    assert set(turned(made).values()) == {INVALID}
    assert turned(made)["requests"] is INVALID


def test_what_never_left_the_generator_was_not_refused():
    sent = [*rows(), response(1000, status=0, error=f"{OWN_FAULT}: Cannot assign requested address")]
    made = three_ledgers(sent, WEIGHTS, log=logged(sent[:-1]))
    assert of_kind(made) == {Difference.ABANDONED: ["id-1000"]}
    assert FAIL not in turned(made).values()


def test_what_a_damaged_log_lacks_was_not_refused():
    sent = [*rows(), response(1000, status=0, error="ConnectionResetError: reset")]
    made = three_ledgers(sent, WEIGHTS, log=logged(sent[:-1]), damaged=1, error_rate=0.1)
    assert turned(made)[Difference.REFUSED] is INVALID


def test_a_backend_that_processes_everything_and_answers_nothing_is_found_though_it_never_said_its_name():
    sent = [row._replace(status=502, host_tag="", error="Unwanted: status 502") if row.host_tag == "b" else row
            for row in rows()]  # fmt: skip
    log = [row._replace(status=502, upstream_statuses="502", host_tag="-", upstream_addresses="b:80")
           if row.host_tag == "-" else row for row in logged(sent)]  # fmt: skip
    made = three_ledgers(sent, WEIGHTS, log=log, counts=counted(EXACT))
    assert len(of_kind(made)[Difference.LOST]) == 333
    assert turned(made)["ledgers b"] is FAIL


def test_what_somebody_did_besides_is_not_blamed_on_requests_that_were_answered():
    sent, log = one_changed(status=503, upstream_statuses="503")
    sent[7] = sent[7]._replace(status=503, error="Unwanted: status 503")
    made = three_ledgers(sent, WEIGHTS, log=log, counts=counted(EXACT))
    assert of_kind(made) == {Difference.UNASKED: [1]}
    assert FAIL not in turned(made).values()


def test_what_the_balancer_answered_to_others_by_itself_is_no_pick():
    made = three_ledgers(
        rows(), WEIGHTS, log=[*logged(rows()), balanced("x", status=400, upstream_addresses="-", ended_s=1_002.0)]
    )
    assert turned(made) == {}
