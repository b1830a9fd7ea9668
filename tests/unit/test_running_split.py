"""The running deviation, as exactly as a log can tell: never narrower than the truth, and as narrow as it may be."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.measures.running_split import HIGHEST, LOWEST, running, swing
from scenarios.formats.columns import Column
from scenarios.spec.round_robin.cycle import cycle, window_bounds
from tests.builders.evidence import balanced, three_ledgers

WEIGHTS = {"a": 1, "b": 2, "c": 3}


def log_of(picks, at_ms, took_ms, workers=1):
    """A log as nginx would write it of these picks, each made in a turn of its worker's loop that began then."""
    return [
        balanced(f"id-{number}", took / 1e3, tag, ended_s=(1_000_000 + at + took) / 1e3, worker=1 + number % workers)
        for number, (tag, at, took) in enumerate(zip(picks, at_ms, took_ms, strict=True))
    ]


def ranges(log, weights):
    table = running(three_ledgers([], weights, requests=1, log=log, counts=[]))
    return {tag: rows.set_index(Column.AT_S) for tag, rows in table.groupby(Column.HOST_TAG)}


def test_of_requests_one_after_the_other_everything_is_known():
    picks = ["abc"[index] for _ in range(10) for index in cycle([1, 2, 3])]
    at_ms = [10 * number for number in range(60)]
    found = ranges(log_of(picks, at_ms, [5] * 60), WEIGHTS)
    for tag, weight in WEIGHTS.items():
        rows = found[tag]
        for number in range(60):
            truth = picks[: number + 1].count(tag) - (number + 1) * weight / 6
            known = rows.loc[(10 * number + 6) / 1e3]  # its worker has surely begun its next turn
            assert known[LOWEST] == pytest.approx(truth)
            assert known[HIGHEST] == pytest.approx(truth)


def test_a_backend_that_takes_too_many_for_a_while_is_found_though_the_totals_are_right():
    picks = list("cccccc" + "bbbb" + "aa")
    found = ranges(log_of(picks, [10 * number for number in range(12)], [5] * 12), WEIGHTS)
    assert found["c"][LOWEST].max() == pytest.approx(3.0)
    assert found["c"][LOWEST].iloc[-1] == found["c"][HIGHEST].iloc[-1] == pytest.approx(0.0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), min_size=1, max_size=80),
)
def test_the_truth_is_within_the_range_and_no_two_moments_are_surely_too_far_apart(weights, workers, turns):
    """However much is under way at once: picks follow the cycle in the order of time, stamps may be equal."""
    tags = dict(zip("abcd", weights, strict=False))
    at_ms = np.cumsum([apart for apart, _ in turns]).tolist()
    order = cycle(weights)
    picks = [list(tags)[order[number % len(order)]] for number in range(len(turns))]
    found = ranges(log_of(picks, at_ms, [took for _, took in turns], workers), tags)
    for tag, bound in zip(tags, window_bounds(weights), strict=True):
        assert found[tag][LOWEST].max() - found[tag][HIGHEST].min() <= float(bound) + 1e-9
        for moment_s, row in found[tag].iterrows():
            made = [pick for pick, at in zip(picks, at_ms, strict=True) if at - at_ms[0] + 0.5 < 1e3 * moment_s]
            truth = made.count(tag) - len(made) * tags[tag] / sum(weights)
            assert row[LOWEST] - 1e-9 <= truth <= row[HIGHEST] + 1e-9


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(0, 40)), min_size=1), st.integers(1, 9)
)
def test_moments_that_share_a_row_lose_nothing_that_is_judged_or_drawn(turns, most_rows):
    at_ms = np.cumsum([apart for _, apart, _ in turns]).tolist()
    made = three_ledgers(
        [], WEIGHTS, requests=1, log=log_of([tag for tag, _, _ in turns], at_ms, [ms for *_, ms in turns]), counts=[]
    )
    whole, thin = running(made), running(made, most_rows)
    assert swing(thin).to_dict() == swing(whole).to_dict()
    assert thin.groupby(Column.HOST_TAG).size().max() <= most_rows
    by_tag = [table.groupby(Column.HOST_TAG).agg({LOWEST: "min", HIGHEST: "max"}) for table in (whole, thin)]
    pd.testing.assert_frame_equal(*by_tag)


def test_two_workers_that_pick_by_cycles_of_their_own_swing_too_far_though_neither_total_shows_it():
    log = log_of("ccbbaaccbbcc", [10 * number for number in range(12)], [5] * 12)
    table = running(three_ledgers([], WEIGHTS, requests=1, log=log, counts=[]))
    assert swing(table)["c"] == pytest.approx(2.0)
    assert window_bounds([1, 2, 3])[2] == 1


def test_without_a_pick_there_is_nothing_to_tell():
    assert running(three_ledgers([], WEIGHTS, requests=1, log=[], counts=[])).empty
