import pandas as pd
import pytest

from analysis.statistics import distribution, latency, timeline
from tests.unit.evidence import evidence, response, responses

WEIGHTS = {"a": 1, "b": 2, "c": 3}


def test_the_distribution_of_a_thousand_is_what_a_person_computes_by_hand():
    table = distribution(evidence(responses({"a": 167, "b": 333, "c": 500}), WEIGHTS)).round(3).reset_index()
    pd.testing.assert_frame_equal(
        table,
        pd.DataFrame(
            {
                "host_tag": ["a", "b", "c"],
                "weight": [1, 2, 3],
                "expected": [166.667, 333.333, 500.0],
                "answered": [167, 333, 500],
                "share": [0.167, 0.333, 0.5],
                "deviation": [0.333, -0.333, 0.0],
                "allowed": [0.833, 0.667, 1.0],
            }
        ),
        check_dtype=False,
    )


def test_backends_stand_in_the_order_of_the_claim_and_strangers_after_them():
    table = distribution(evidence(responses({"z": 1, "c": 1, "y": 2}), WEIGHTS))
    assert list(table.index) == ["a", "b", "c", "y", "z"]
    assert list(table["weight"]) == [1, 2, 3, 0, 0]


def test_what_nobody_answered_belongs_to_nobody():
    rows = [*responses({"a": 1}), response(9, status=0, error="refused")]
    assert distribution(evidence(rows, {"a": 1}))["answered"].to_dict() == {"a": 1}


def test_every_worker_with_a_cycle_of_its_own_widens_the_bound():
    assert distribution(evidence(responses({"a": 1}), WEIGHTS, cycles=8))["allowed"]["c"] == 8


def test_percentiles_are_values_that_occurred_at_their_exact_rank():
    rows = [response(number, "a", latency_us=1000 * (number + 1)) for number in range(1000)]
    row = latency(evidence(rows, {"a": 1})).loc[("a", "steady")]
    assert row.to_dict() == {
        "count": 1000,
        "mean_ms": 500.5,
        "p50_ms": 500,
        "p90_ms": 900,
        "p95_ms": 950,
        "p99_ms": 990,
        "p99_9_ms": 999,
        "max_ms": 1000,
    }


def test_latency_has_a_row_per_backend_and_stage_and_for_all_of_either():
    table = latency(evidence(responses({"a": 1, "b": 1}), WEIGHTS))
    assert list(table.index) == [
        ("a", "steady"),
        ("a", "all"),
        ("b", "steady"),
        ("b", "all"),
        ("all", "steady"),
        ("all", "all"),
    ]


def test_a_request_that_nobody_answered_has_no_latency():
    rows = [response(0, "a", latency_us=1000), response(1, status=0, latency_us=30_000_000, error="refused")]
    assert latency(evidence(rows, {"a": 1})).loc[("all", "all"), "max_ms"] == 1


def test_the_timeline_counts_a_request_where_it_was_sent_and_where_it_ended():
    second = 1_000_000
    rows = [
        response(0, "a", sent_us=1000 * second, latency_us=100),
        response(1, "a", sent_us=1000 * second, latency_us=2 * second),
        response(2, status=0, sent_us=1001 * second, latency_us=2 * second, error="reset"),
    ]
    table = timeline(evidence(rows, {"a": 1}), pd.Series({1000 * second: 5, 1001 * second: 7}))
    assert list(table.index) == [0, 1, 2, 3]
    assert list(table["sent"]) == [2, 1, 0, 0]
    assert list(table["answered"]) == [1, 0, 1, 0]
    assert list(table["failed"]) == [0, 0, 0, 1]
    assert list(table["users"]) == [5, 7, 7, 7]


def test_a_timeline_without_requests_is_as_long_as_there_were_users():
    second = 1_000_000
    made = evidence([], {"a": 1}, requests=1)
    table = timeline(made, pd.Series({1_800_000_000 * second: 5, 1_800_000_002 * second: 7}))
    assert list(table["users"]) == [5, 5, 7]
    assert list(timeline(made, pd.Series(dtype="int64"))["users"]) == []


@pytest.mark.parametrize("table", [distribution, latency])
def test_a_run_without_requests_has_tables_that_say_so(table):
    assert isinstance(table(evidence([], WEIGHTS, requests=1)), pd.DataFrame)
