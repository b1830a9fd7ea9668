import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.latency import BEYOND, CURVE, latency, ordered, percentiles
from analysis.measures.statistics import at_rank
from scenarios.formats.columns import Column
from tests.builders.evidence import evidence, response, responses


def counting(count):
    """Answers of 1, 2, 3, … ms, in no order."""
    return [response(number, "a", latency_us=1000 * (1 + number * 7 % count)) for number in range(count)]


def curve(made):
    table = percentiles(ordered(made))
    rows = table[(table[Column.HOST_TAG] == "a") & (table[Column.STAGE] == "steady")]
    return rows.set_index(Column.PERCENTILE)[Column.LATENCY_MS]


def test_percentiles_are_values_that_occurred_at_their_exact_rank():
    row = latency(ordered(evidence(counting(1000), {"a": 1}))).loc[("a", "steady")]
    assert row.to_dict() == {
        "count": 1000,
        "mean_ms": 500.5,
        "p50_ms": 500,
        "p90_ms": 900,
        "p95_ms": 950,
        "p99_ms": 990,
        "p99_9_ms": 999,
        "p99_99_ms": 1000,
        "max_ms": 1000,
    }


def test_latency_has_a_row_per_backend_and_stage_and_for_all_of_either():
    table = latency(ordered(evidence(responses({"a": 1, "b": 1}), {"a": 1, "b": 2, "c": 3})))
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
    assert latency(ordered(evidence(rows, {"a": 1}))).loc[("all", "all"), Column.MAX_MS] == 1


def test_an_answer_without_a_name_counts_among_all_and_for_no_backend():
    rows = [response(0, "a", latency_us=1000), response(1, "", status=502, latency_us=9000, error="502")]
    table = latency(ordered(evidence(rows, {"a": 1})))
    assert (table[Column.COUNT]["a", "all"], table[Column.COUNT]["all", "all"]) == (1, 2)


@pytest.mark.parametrize("table", [latency, percentiles])
def test_a_run_without_answers_has_tables_that_say_so(table):
    assert table(ordered(evidence([], {"a": 1}, requests=1))).empty


def test_a_curve_has_the_values_of_its_percentiles():
    found = curve(evidence(counting(1000), {"a": 1}))
    assert (found[0], found[50], found[90], found[99]) == (1, 500, 900, 990)
    assert 99.9 not in found.index


def slower(count, percentile):
    """Answers beyond the rank, in whole numbers: percentiles have three decimals."""
    return count - -(-count * round(1000 * percentile) // 100_000)


def test_a_curve_ends_where_too_few_were_slower():
    for count in (10, 500, 501, 5000, 60_000):
        last = curve(evidence(counting(count), {"a": 1})).index[-1]
        assert last == 50 or slower(count, last) >= BEYOND
        following = CURVE[last < CURVE]
        assert not len(following) or slower(count, following[0]) < BEYOND


def test_a_single_answer_has_a_median():
    found = curve(evidence([response(0, "a", latency_us=7000)], {"a": 1}))
    assert (found.index[-1], set(found)) == (50, {7.0})


def test_the_percentiles_of_a_curve_are_about_sixty_and_stand_evenly_by_nines():
    assert 50 <= len(CURVE) <= 70
    assert {0.0, 50.0, 90.0, 99.0, 99.9, 99.99} <= set(CURVE)
    apart = np.diff(-np.log10(1 - CURVE / 100))
    assert apart.max() < 0.1


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.integers(0, 10_000))
def test_a_quantile_is_the_first_value_that_so_many_do_not_exceed(values, parts):
    values = np.sort(np.array(values))
    enough = [value for value in values if 10_000 * (values <= value).sum() >= parts * len(values)]
    assert at_rank(values, np.array([parts / 10_000]))[0] == enough[0]
