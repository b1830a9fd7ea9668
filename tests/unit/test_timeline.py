import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.measures.generator import totals
from analysis.measures.timeline import MOST, WIDTHS_US, timeline, width_of
from scenarios.formats.columns import Column
from tests.builders.evidence import evidence, pulse, response
from tests.builders.odd_runs import RUNS, STAGES

START_US = 1_000_000_000
S = 1_000_000


def drawn_up(rows, samples=None, **more):
    made = evidence(rows, {"a": 1}, samples=samples, **more)
    return timeline(made, totals(made))


def test_a_request_counts_where_it_was_sent_and_where_it_ended():
    rows = [
        response(0, "a", sent_us=START_US, latency_us=5000),
        response(1, "a", sent_us=START_US, latency_us=15_000),
        response(2, status=0, sent_us=START_US + 12_000, latency_us=25_000, error="reset"),
    ]
    table = drawn_up(rows, [pulse(START_US, users=5), pulse(START_US + 15_000, users=7)])
    assert list(table.index) == [0.0, 0.01, 0.02, 0.03]
    assert list(table[Column.SENT]) == [2, 1, 0, 0]
    assert list(table[Column.ANSWERED]) == [1, 1, 0, 0]
    assert list(table[Column.FAILED]) == [0, 0, 0, 1]
    assert list(table[Column.USERS]) == [5, 7, 7, 7]
    assert list(table[Column.SENT_PER_S]) == [200, 100, 0, 0]
    assert list(table[Column.FAILED_PER_S]) == [0, 0, 0, 100]
    assert set(table[Column.SECONDS]) == {0.01}


def test_percentiles_are_of_the_answers_of_their_stretch_and_none_is_a_gap():
    rows = [response(number, "a", sent_us=START_US, latency_us=100 * number) for number in range(1, 101)]
    rows += [response(200, "a", sent_us=START_US + 30_000, latency_us=4000)]
    table = drawn_up(rows)
    first = table.loc[0.0]  # 0.1 to 9.9 ms; the one of 10 ms is in the second
    assert (first[Column.P50_MS], first[Column.P90_MS], first[Column.P99_MS], first[Column.MAX_MS]) == (
        5.0,
        9.0,
        9.9,
        9.9,
    )
    assert table[Column.MAX_MS].tolist()[1] == 10.0
    assert np.isnan(table[Column.P50_MS].tolist()[2])
    assert table[Column.P99_MS].tolist()[3] == 4.0


def test_a_failed_request_has_no_latency_but_a_bad_answer_has():
    rows = [
        response(0, status=0, latency_us=2000, error="reset"),
        response(1, "a", status=500, latency_us=3000, error="500"),
    ]
    assert drawn_up(rows)[Column.MAX_MS].tolist() == [3.0]


def test_it_begins_with_the_first_request_and_ends_with_the_last_and_users_are_those_of_before():
    rows = [response(0, "a", sent_us=START_US, latency_us=35_000)]
    table = drawn_up(
        rows, [pulse(START_US - S, users=3), pulse(START_US + 20_000, users=4), pulse(START_US + S, users=9)]
    )
    assert list(table[Column.USERS]) == [3, 3, 4, 4]


def test_without_requests_it_is_as_long_as_there_were_users():
    table = drawn_up([], [pulse(START_US, users=5), pulse(START_US + 25_000, users=7)], requests=1)
    assert list(table[Column.USERS]) == [5, 5, 7]
    assert table[Column.P50_MS].isna().all()
    assert drawn_up([], [], requests=1).empty


def test_a_stage_begins_with_its_first_user_or_request_and_even_the_shortest_last_one_is_seen():
    made = RUNS["usual"]()
    table = timeline(made, totals(made))
    assert list(table[Column.STAGE].drop_duplicates()) == list(STAGES)
    begun = table.index[table[Column.STAGE] == "surge"][0]
    assert begun == pytest.approx(2.0, abs=0.05)
    rows = [response(0, "a", stage="steady", sent_us=START_US, latency_us=1000)]
    assert set(drawn_up(rows)[Column.STAGE]) == {"steady"}


@given(st.integers(1, 9000 * S - 1))
def test_the_stretches_suit_the_run(length_us):
    width_us = width_of(length_us)
    assert width_us in WIDTHS_US
    assert length_us // width_us + 1 <= MOST
    assert length_us // width_us + 1 >= 60 or width_us == WIDTHS_US[0]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3 * S), st.integers(0, S), st.booleans()), min_size=1, max_size=80))
def test_nothing_is_lost_and_percentiles_are_what_a_person_computes(requests):
    rows = [
        response(number, "" if failed else "a", sent_us=START_US + at, latency_us=took, status=0 if failed else 201,
                 error="reset" if failed else "")
        for number, (at, took, failed) in enumerate(requests)
    ]  # fmt: skip
    table = drawn_up(rows, [pulse(START_US)])
    assert table[Column.SENT].sum() == len(rows) == table[Column.ANSWERED].sum() + table[Column.FAILED].sum()
    width_us, first_us = round(1e6 * table[Column.SECONDS].iloc[0]), min(row.sent_us for row in rows)
    by_stretch = pd.Series(
        [row.latency_us / 1e3 for row in rows if row.status],
        [(row.sent_us + row.latency_us - first_us) // width_us for row in rows if row.status],
        dtype="float64",
    )
    for number, ms in by_stretch.groupby(level=0):
        found = table.iloc[number]
        assert found[Column.MAX_MS] == ms.max()
        assert found[Column.P90_MS] == np.quantile(ms, 0.9, method="inverted_cdf")
