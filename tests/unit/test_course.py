"""How a run with faults went: shares, predictions, losses and marks, and the title and labels made of them."""

from dataclasses import replace
from math import inf, isnan, nan

import pandas as pd
import pytest

from analysis.charts.drawing.fault_titles import answer
from analysis.charts.drawing.marks import marks
from analysis.checks.check import Check, Outcome
from analysis.checks.stage_split import SPLIT_IN
from analysis.faults.absence import Absence
from analysis.faults.course import predicted_shares
from analysis.tables import Tables
from analysis.verdict import judge
from scenarios.formats.columns import Column
from tests.builders.broken_run import KILLED_S, PATIENCE, STARTED_S, WEIGHTS, broken_run, strike
from tests.builders.odd_runs import WITH_FAULTS, faults_injected

KILL = Absence("b", began_s=6.0, known_s=6.1, asked_s=16.0, back_s=17.5)


def course_of(**changes):
    return Tables.of(broken_run(**changes)).course


def at(shares, tag, at_s, column):
    rows = shares[(shares[Column.HOST_TAG] == tag) & (shares[Column.AT_S].round(6) == at_s)]
    return rows[column].item()


@pytest.mark.parametrize(
    ("from_s", "until_s", "predicted"),
    [
        (5.0, 5.9, {"a": 1 / 6, "b": 2 / 6, "c": 3 / 6}),
        (5.9, 6.05, None),  # it was broken meanwhile
        (6.05, 6.2, None),  # the balancer came to know of it
        (6.1, 6.3, {"a": 1 / 4, "b": 0.0, "c": 3 / 4}),
        (15.9, 16.0, {"a": 1 / 4, "b": 0.0, "c": 3 / 4}),
        (15.9, 16.1, None),  # it was started
        (16.1, 17.4, None),
        (17.5, 17.6, {"a": 1 / 6, "b": 2 / 6, "c": 3 / 6}),
    ],
)
def test_a_share_is_predicted_only_where_it_is_known_who_takes_part(from_s, until_s, predicted):
    found = predicted_shares(WEIGHTS, [KILL], from_s, until_s)
    if predicted is None:
        assert all(isnan(share) for share in found.values())
    else:
        assert found == pytest.approx(predicted)


def test_where_nobody_is_left_or_another_is_in_doubt_nothing_is_predicted():
    others = [KILL._replace(backend="a"), KILL._replace(backend="c")]
    assert all(isnan(share) for share in predicted_shares(WEIGHTS, [KILL, *others], 7.0, 7.1).values())
    doubtful = KILL._replace(backend="a", known_s=inf)
    assert all(isnan(share) for share in predicted_shares(WEIGHTS, [KILL, doubtful], 7.0, 7.1).values())


def test_shares_are_of_all_picks_and_come_as_predicted():
    shares = course_of().shares
    assert shares[Column.PICKS].sum() == 2503  # a request every 10 ms, and three probes
    known = shares.dropna()
    off = (known[Column.SHARE] - known[Column.PREDICTED]).abs() * known.groupby(Column.AT_S)[Column.PICKS].transform(
        "sum"
    )
    assert off.max() < 1.01  # a pick of twenty is more than a share can say
    assert at(shares, "c", 10.0, Column.PREDICTED) == pytest.approx(3 / 4)
    assert at(shares, "b", 10.0, Column.PREDICTED) == 0
    assert isnan(at(shares, "c", 16.2, Column.PREDICTED))
    assert at(shares, "c", 18.0, Column.PREDICTED) == pytest.approx(1 / 2)


def test_what_is_late_is_predicted_from_its_limit_on():
    shares = course_of(back_s=23.0).shares  # it has to be back 2 s after its fail_timeout, which is 2 s too
    late_s = STARTED_S + 0.5 + PATIENCE.fail_timeout_s + 2.0
    assert isnan(at(shares, "b", late_s - 0.3, Column.PREDICTED))
    assert at(shares, "b", late_s + 0.3, Column.PREDICTED) == pytest.approx(1 / 3)
    assert at(shares, "b", late_s + 0.3, Column.SHARE) == 0


def test_a_backend_that_failed_is_left_alone_for_its_time_although_it_is_well_at_once():
    restart = strike(1, "restart", KILLED_S, KILLED_S + 0.1, "failing")
    shares = Tables.of(faults_injected([restart], back_s=8.5, probed_every_s=99.0)).course.shares
    assert at(shares, "b", 7.0, Column.PREDICTED) == 0
    assert isnan(at(shares, "b", 8.2, Column.PREDICTED))
    assert at(shares, "b", 9.0, Column.PREDICTED) == pytest.approx(1 / 3)


def test_a_share_of_less_than_a_cycle_is_none():
    made = broken_run()
    ended_s = made.balancer[Column.ENDED_S] - 1000
    scarce = replace(made, balancer=made.balancer[~ended_s.between(8.0, 8.15)])
    shares = Tables.of(scarce).course.shares
    assert 0 < sum(at(shares, tag, 8.0, Column.PICKS) for tag in WEIGHTS) < sum(WEIGHTS.values())
    assert all(isnan(at(shares, tag, 8.0, Column.SHARE)) for tag in WEIGHTS)
    assert not any(isnan(at(shares, tag, 8.2, Column.SHARE)) for tag in WEIGHTS)


@pytest.mark.parametrize(
    ("changes", "causes"),
    [
        ({}, {Column.BY_FAULTS: 1, Column.WHILE_ALL_DOWN: 0, Column.UNEXPLAINED: 0}),
        ({"lost": (2.0, 6.0)}, {Column.BY_FAULTS: 1, Column.WHILE_ALL_DOWN: 0, Column.UNEXPLAINED: 1}),
    ],
)
def test_what_failed_counts_for_its_cause_when_it_failed(changes, causes):
    losses = course_of(**changes).losses_over_time
    assert losses[list(causes)].sum().to_dict() == causes
    assert losses.loc[losses[Column.BY_FAULTS] > 0, Column.AT_S].round(6).tolist() == [KILLED_S]


def test_a_mark_says_when_what_to_whom_and_what_it_cost():
    kill, start = course_of().marks.to_dict("records")
    assert kill == {
        Column.AT_S: KILLED_S,
        Column.KIND: "kill",
        Column.BACKEND: "b",
        Column.IS_CURE: False,
        Column.LOST: 1.0,
        Column.MAY_LOSE: 1.0,
    }
    assert (start[Column.AT_S], start[Column.IS_CURE], isnan(start[Column.LOST])) == (STARTED_S, True, True)


def marked(*rows):
    columns = [Column.AT_S, Column.KIND, Column.BACKEND, Column.IS_CURE, Column.LOST, Column.MAY_LOSE]
    return pd.DataFrame(
        [(at_s, kind, backend, kind == "start", 1.0, 2.0) for at_s, kind, backend in rows], columns=columns
    )


def test_marks_of_a_kind_that_are_near_each_other_share_a_label():
    reloads = [(float(second), "reload-nginx", "") for second in range(1, 11)]
    assert [each.text for each in marks(marked(*reloads), 20.0, 8.0)] == ["reload-nginx 10 times: lost 10, at most 20"]
    table = marked((1.0, "kill", "a"), (1.1, "kill", "b"), (2.0, "start", "a"), (2.1, "start", "b"), (9.0, "kill", "c"))
    assert [each.text for each in marks(table, 10.0, 8.0)] == [
        "kill a and b: lost 2, at most 4",
        "start a and b",
        "kill c: lost 1, at most 2",
    ]
    many = marked(*((1.0, "kill", f"back-{number}") for number in range(12)))
    assert marks(many, 10.0, 8.0)[0].text == "kill 12 backends: lost 12, at most 24"


def told(made):
    tables = Tables.of(made)
    return answer(tables.course, tables.aftermath.table, judge(made, tables).checks)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("with faults", "b was killed: 1 of 1 in flight lost, left alone after 1 ms, back 1.0 s after it was well"),
        ("with a fault that lasts", "b was killed: 1 of 1 in flight lost, left alone after 1 ms"),
        ("with many reloads", "nginx was reloaded 10 times: nothing lost"),
        ("with everybody killed", "Not as predicted: noticed kill a: not at all; and 2 more"),
    ],
)
def test_the_title_says_what_was_done_and_what_came_of_it(name, title):
    assert told(WITH_FAULTS[name]()) == title


def test_the_title_names_the_prediction_that_did_not_come_true():
    assert told(broken_run(lost=(6.0, 6.03))) == "Not as predicted: lost by kill b: 2"


def test_the_title_says_when_something_was_not_brought_about():
    assert told(broken_run(applied_faults=(strike(1, "kill", 6, 6.005, "failing"),))) == (
        "Not everything was brought about as the scenario asks for: 1; 1 were not"
    )


def aftermath(*rows):
    columns = [Column.KIND, Column.BACKEND, Column.LOST, Column.MAY_LOSE, Column.NOTICED_S, Column.RETURNED_S]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("rows", "title"),
    [
        (
            [("kill", "a", 1, 2, 0.004, 1.2), ("kill", "b", 2, 3, 0.014, 1.84), ("kill", "c", 0, 1, 0.01, 1.0)],
            "a, b and c were killed: 3 of 6 in flight lost, left alone after at most 14 ms, "
            "back at most 1.8 s after they were well",
        ),
        (
            [("hang", "a", 200, 204, 30.0, 0.5)],
            "a was made to hang: 200 lost, at most 204 may be, left alone after 30.0 s, back 500 ms after it was well",
        ),
        (
            [("drop-packets", "a", 6, 204, 2.3, 0.0)],
            "a was cut off: 6 lost, at most 204 may be, left alone after 2.3 s, back as soon as it was well",
        ),
        ([("kill-nginx-worker", "", 3, 9, nan, nan)], "nginx was robbed of a worker: 3 of 9 in flight lost"),
        (
            [("fail", "a", 9, 9, nan, nan)],
            "a was made to answer 503: 9 of 9 asked of it lost, and the balancer did not notice",
        ),
        (
            [
                ("unhealthy", "a", 0, 0, nan, nan),
                ("limit-cpu", "b", 0, 0, nan, nan),
                ("reload-nginx", "", 0, 0, nan, nan),
            ],
            "a was made to fail its health check: nothing lost, and the balancer did not notice; "
            "b was given little CPU: nothing lost, and the balancer did not notice; 1 other kind of fault",
        ),
    ],
)
def test_every_kind_of_fault_has_its_sentence(rows, title):
    assert answer(course_of(lost=()), aftermath(*rows), []) == title


def test_what_no_fault_accounts_for_is_told_too():
    table = aftermath(("reload-nginx", "", 0, 0, nan, nan))
    assert answer(course_of(lost=(2.0,)), table, []) == "nginx was reloaded: nothing lost; 1 failed for no known reason"


def test_a_split_that_nobody_can_tell_does_not_take_the_title():
    doubtful = Check(kind=SPLIT_IN, subject="healthy", detail="c", expected="e", observed="o", outcome=Outcome.INVALID)
    table = aftermath(("reload-nginx", "", 0, 0, nan, nan))
    assert answer(course_of(lost=()), table, [doubtful]) == "nginx was reloaded: nothing lost"
