"""What is said of two runs, whose latencies and faults are made up, and therefore known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.comparison.__main__ import _claims
from analysis.comparison.comparison import Comparison
from analysis.comparison.latency import holm, latency_changes
from analysis.comparison.run import ComparedRun
from analysis.comparison.words import answer
from analysis.tables import Tables
from analysis.verdict import judge
from scenarios.formats.columns import Column, header
from scenarios.formats.rows import Response
from tests.builders.compared_runs import DOZEN, FEW, STAGES, THREE, made_up
from tests.builders.evidence import evidence, response, responses

PAIRS = 60


def run(made):
    tables = Tables.of(made)
    return ComparedRun("made/one", made, tables, judge(made, tables))


def compare(a, b):
    return Comparison.of(run(a), run(b))


def changed(a, b):
    """The backends and stages of which a change is claimed, and which."""
    outcomes = latency_changes(a, b)["outcome"]
    return {cell: str(outcome) for cell, outcome in outcomes.items() if outcome in ("worse", "better")}


@pytest.mark.parametrize(
    "memory", [pytest.param(0.0, marks=pytest.mark.full), 0.9, pytest.param(0.98, marks=pytest.mark.full)]
)
def test_latencies_that_remember_those_before_raise_no_false_alarm(memory):
    draws = np.random.default_rng(20_26)
    alarms = sum(bool(changed(*(made_up(draws, memory=memory, spread=0.15) for _ in "ab"))) for _ in range(PAIRS))
    assert alarms < 0.05 * PAIRS


def test_a_dozen_backends_in_three_stages_raise_no_false_alarm_either():
    draws = np.random.default_rng(1)
    alarms = sum(
        bool(changed(*(made_up(draws, DOZEN, stages=STAGES, count=60, memory=0.9, spread=0.15) for _ in "ab")))
        for _ in range(20)
    )
    assert alarms <= 1


@pytest.mark.parametrize(
    ("times", "outcome"), [(1.2, "worse"), pytest.param(1 / 1.2, "better", marks=pytest.mark.full)]
)
def test_a_fifth_more_or_less_is_found_and_named_right(times, outcome):
    draws = np.random.default_rng(3)
    slower = {("back-02", "steady"): times}
    found = [changed(made_up(draws, count=600), made_up(draws, count=600, slower=slower)) for _ in range(PAIRS)]
    assert found.count({("back-02", "steady"): outcome}) > 0.95 * PAIRS


def test_of_a_dozen_backends_in_three_stages_the_one_that_is_slower_is_found():
    draws = np.random.default_rng(4)
    slower = {("back-07", "surge"): 1.2}
    before, after = (made_up(draws, DOZEN, stages=STAGES, spread=0.03, slower=each) for each in ({}, slower))
    assert changed(before, after) == {("back-07", "surge"): "worse"}
    sentence = answer([], latency_changes(before, after))
    assert sentence.startswith("back-07 got ")
    assert sentence.endswith(" slower in surge")


def test_a_change_within_the_margin_is_told_and_is_none():
    draws = np.random.default_rng(5)
    slower = {("back-02", "steady"): 1.03}
    before, after = (made_up(draws, memory=0.0, spread=0.001, slower=each) for each in ({}, slower))
    row = latency_changes(before, after).loc[("back-02", "steady")]
    assert row["outcome"] == "same"
    assert row[Column.LOWEST] > 1.02
    assert row["corrected_p"] < 0.001
    assert compare(before, after).sentence == "Nothing changed by more than 4 %"


def test_what_was_too_noisy_to_be_seen_is_not_sold_as_no_change():
    draws = np.random.default_rng(6)
    found = compare(*(made_up(draws, spread=0.6, memory=0.9) for _ in "ab"))
    assert found.exit_code == 0
    assert set(found.latency["outcome"]) == {"cannot tell"}
    assert found.sentence.startswith("No change was seen, and one of up to ")


def test_identical_runs_do_not_differ():
    made = evidence(responses({"a": 100, "b": 100}), {"a": 1, "b": 1})
    found = compare(made, made)
    assert (found.exit_code, found.sentence) == (0, "Nothing changed by more than 0 %")
    assert set(found.latency["corrected_p"]) == {1.0}


def test_fast_refusals_are_not_taken_for_fast_answers():
    rows = responses({"a": 100})
    refused = [row._replace(status=503, error="status 503", latency_us=1) for row in rows[:60]]
    found = latency_changes(
        evidence(rows, {"a": 1}), evidence([*refused, *(row._replace(sent_us=10**12) for row in rows)], {"a": 1})
    )
    assert found.loc[("a", "steady"), ["b_count", "b_p50_ms", Column.RATIO, "outcome"]].tolist() == [
        100,
        1.0,
        1.0,
        "same",
    ]


def test_batches_follow_the_order_of_sending_whatever_that_of_the_rows():
    rows = [response(number, "a", latency_us=1000 + 10 * number) for number in range(200)]
    found = latency_changes(evidence(rows, {"a": 1}), evidence(rows[::-1], {"a": 1}))
    assert found.loc[("a", "steady"), [Column.LOWEST, Column.HIGHEST]].tolist() == [1.0, 1.0]


def test_too_few_answers_are_not_judged_and_do_not_count_among_the_comparisons():
    draws = np.random.default_rng(7)
    two = made_up(draws, THREE[:2])
    few = [response(10_000 + number, "back-03") for number in range(99)]
    more = replace(
        two,
        responses=pd.concat([two.responses, pd.DataFrame(few, columns=header(Response))], ignore_index=True).astype(
            FEW
        ),
    )
    found = latency_changes(more, more)
    assert found.loc[("back-03", "steady"), ["a_count", "outcome"]].tolist() == [99, "cannot tell"]
    assert (
        found.loc[("back-03", "steady"), [Column.RATIO, Column.LOWEST, Column.HIGHEST, "p", "corrected_p"]].isna().all()
    )
    other = made_up(draws, THREE[:2])
    pd.testing.assert_frame_equal(latency_changes(more, other).loc[list(THREE[:2])], latency_changes(two, other))


ODD = {
    "empty": [],
    "single": [response(0, "a")],
    "all failed": [response(number, status=0, error="refused") for number in range(100)],
}


@pytest.mark.parametrize("rows", ODD.values(), ids=ODD.keys())
def test_odd_runs_are_compared_without_a_word_too_many(rows):
    made = evidence(rows, {"a": 1}, requests=max(1, len(rows)))
    found = compare(made, made)
    assert found.exit_code == 3
    assert found.sentence.startswith(("It cannot be told: ", "The runs cannot be compared: verdict"))


def test_a_backend_that_fell_silent_breaks_the_split_and_the_others_are_still_compared():
    draws = np.random.default_rng(8)
    before = made_up(draws)
    gone = before.responses[Column.HOST_TAG] == "back-03"
    tags = before.responses[Column.HOST_TAG].astype("str").mask(gone, "back-01")
    after = replace(before, responses=before.responses.assign(**{Column.HOST_TAG: tags}).astype(FEW))
    found = compare(before, after)
    assert found.exit_code == 1
    assert found.sentence == "split back-01 holds no longer, split back-03 holds no longer"
    assert found.latency["outcome"]["back-02", "steady"] == "same"
    assert np.isnan(found.latency[Column.RATIO]["back-03", "steady"])


@pytest.mark.parametrize(
    ("before", "after", "outcome", "code"),
    [(0, 1, "worse", 1), (1, 0, "better", 0), (0, 0, "same", 0), (1, 5, "same", 0)],
)
def test_errors_are_exact_counts_against_what_the_scenario_allows(before, after, outcome, code):
    found = compare(failing(before), failing(after))
    claim = next(claim for claim in found.claims if claim.what == "errors")
    assert claim.outcome == outcome
    assert claim.b.startswith(f"{after} of 200")
    assert found.exit_code == code
    if outcome != "same":
        assert found.sentence == f"errors {'holds no longer' if code else 'holds again'}"


def failing(count):
    rows = responses({"a": 200})
    return evidence([row._replace(status=503, error="status 503") for row in rows[:count]] + rows[count:], {"a": 1})


def test_errors_that_the_scenario_allows_are_no_regression():
    rows = responses({"a": 200})
    bad = [rows[0]._replace(status=503, error="status 503"), *rows[1:]]
    found = compare(*(evidence(each, {"a": 1}, error_rate=0.01) for each in (rows, bad)))
    assert found.exit_code == 0


def test_a_claim_that_one_run_could_not_show_is_unknown():
    """A request that nobody is known to have answered fails for certain, and leaves the split open."""
    rows = responses({"a": 200, "b": 200})
    bad = [rows[0]._replace(host_tag="", status=0, error="reset"), *rows[1:]]
    weights = {"a": 1, "b": 1}
    both = compare(evidence(bad, weights), evidence(bad, weights))
    assert {claim.what: str(claim.outcome) for claim in both.claims}["split a"] == "cannot tell"
    assert (both.exit_code, both.sentence) == (
        3,
        "It cannot be told: split a, split b could not be shown in both runs",
    )
    assert compare(evidence(rows, weights), evidence(bad, weights)).exit_code == 1


def test_claims_are_compared_by_kind_and_subject():
    rows, weights = responses({"a": 100, "b": 300}), {"a": 1, "b": 3}
    uneven = responses({"a": 101, "b": 299})
    uneven[0] = uneven[0]._replace(host_tag="z")
    found = compare(evidence(rows, weights), evidence(uneven, weights)).claims
    told = {claim.what: (claim.a, claim.b, str(claim.outcome)) for claim in found}
    assert told["split a"] == ("100", "100", "same")
    assert told["split b"][1:] == ("299", "worse")
    assert "ledgers" not in told  # which neither run had


def test_claims_of_some_kinds_are_shown_though_nothing_changed():
    made = evidence(responses({"a": 100, "b": 300}), {"a": 1, "b": 3})
    shown = _claims(compare(made, made).claims)
    assert list(shown.columns[0].cells) == ["errors", "split a", "split b"]


def test_holm_multiplies_by_how_many_are_left_and_never_falls():
    p = pd.Series([0.04, 0.01, np.nan, 0.03])
    assert holm(p).tolist()[:2] == pytest.approx([0.06, 0.03])
    assert np.isnan(holm(p)[2])
    assert holm(p)[3] == pytest.approx(0.06)


def test_backends_with_too_few_answers_are_named_in_the_answer():
    few = [response(number, "a" if number % 10 else "b") for number in range(300)]
    made = evidence(few, {"a": 9, "b": 1})
    assert compare(made, made).sentence.endswith("; too few answers of b in steady to tell")
