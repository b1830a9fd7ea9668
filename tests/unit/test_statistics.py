import pandas as pd

from analysis.measures.statistics import distribution
from scenarios.formats.columns import Column
from tests.builders.evidence import evidence, response, responses

WEIGHTS = {"a": 1, "b": 2, "c": 3}


def test_the_distribution_of_a_thousand_is_what_a_person_computes_by_hand():
    table = distribution(evidence(responses({"a": 167, "b": 333, "c": 500}), WEIGHTS)).round(3).reset_index()
    pd.testing.assert_frame_equal(
        table,
        pd.DataFrame(
            {
                Column.HOST_TAG: ["a", "b", "c"],
                Column.WEIGHT: [1, 2, 3],
                Column.EXPECTED: [166.667, 333.333, 500.0],
                Column.ANSWERED: [167, 333, 500],
                Column.SHARE: [0.167, 0.333, 0.5],
                Column.DEVIATION: [0.333, -0.333, 0.0],
                Column.ALLOWED: [0.833, 0.667, 1.0],
            }
        ),
        check_dtype=False,
    )


def test_backends_stand_in_the_order_of_the_claim_and_strangers_after_them():
    table = distribution(evidence(responses({"z": 1, "c": 1, "y": 2}), WEIGHTS))
    assert list(table.index) == ["a", "b", "c", "y", "z"]
    assert list(table[Column.WEIGHT]) == [1, 2, 3, 0, 0]


def test_what_nobody_answered_belongs_to_nobody():
    rows = [*responses({"a": 1}), response(9, status=0, error="refused")]
    assert distribution(evidence(rows, {"a": 1}))[Column.ANSWERED].to_dict() == {"a": 1}


def test_every_worker_with_a_cycle_of_its_own_widens_the_bound():
    assert distribution(evidence(responses({"a": 1}), WEIGHTS, cycles=8))[Column.ALLOWED]["c"] == 8


def test_a_run_without_requests_has_a_table_that_says_so():
    assert list(distribution(evidence([], WEIGHTS, requests=1))[Column.ANSWERED]) == [0, 0, 0]
