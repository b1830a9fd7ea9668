"""What is predicted of a fault, held against a run in which it came true, and against those in which it did not."""

from dataclasses import replace

import pytest

from analysis.checks.check import Outcome
from analysis.faults.aftermath import Aftermath
from analysis.faults.outages import blackouts_of, outages
from analysis.faults.prediction import allowed_losses, noticed_within_s, probes_of
from analysis.faults.stages import parts
from analysis.tables import Tables
from analysis.verdict import judge
from scenarios.formats.columns import Column
from scenarios.formats.rows import AppliedFault, Processed, Resource
from scenarios.spec.round_robin.recovery import healed_bounds, returned_bounds, rising_bounds
from scenarios.spec.target import Target
from tests.builders.broken_run import PATIENCE, STRIKES, WEIGHTS, broken_run, strike
from tests.builders.evidence import counted, frame
from tests.builders.odd_runs import faults_injected, in_blackout
from tests.unit.test_resources import sample

FAIL, INVALID, UNTESTED = Outcome.FAIL, Outcome.INVALID, Outcome.UNTESTED
OTHERS = ("services", "users")  # which are not made


def turned(**changes):
    made = broken_run(**changes)
    checks = judge(made, Tables.of(made)).checks
    assert all(check.meaning for check in checks)
    outcomes = {check.name: check.outcome for check in checks}
    return {
        name: outcome
        for name, outcome in outcomes.items()
        if outcome not in (Outcome.PASS, Outcome.UNTESTED) and name not in OTHERS
    }


def robbed_of_a_worker(*unlogged_s):
    """A run in which a worker of nginx was killed, and what was answered at these seconds is not in the log."""
    made = faults_injected(
        [strike(1, "kill-nginx-worker", 6.0, 6.1, "failing", "")], lost=(), back_s=0.0, probed_every_s=99.0
    )
    logged_s = made.balancer[Column.ENDED_S] - 1000
    kept = [not any(abs(at_s - second) < 0.005 for second in unlogged_s) for at_s in logged_s]
    others = made.stack.model_copy(update={"after": made.stack.before.model_copy(update={"workers": [2]})})
    processed = frame(counted(made.responses[Column.HOST_TAG].value_counts().to_dict()), Processed)
    return replace(made, balancer=made.balancer[kept], stack=others, processed=processed)


def of(what, began_s=6.0, cured_s=16.0):
    return outages(
        frame(
            [strike(1, what, began_s, began_s, "failing"), strike(2, "resume", cured_s, cured_s, "failing")],
            AppliedFault,
        )
    )[0]


def test_a_run_in_which_everything_came_as_predicted_passes():
    made = broken_run()
    checks = {check.name: check for check in judge(made, Tables.of(made)).checks}
    assert turned() == {}
    assert checks["lost by kill b"].observed == "1"
    assert [name for name in checks if name.startswith("split in")] == [
        "split in healthy",
        "split in without",
        "split in healed",
    ]
    row = Aftermath.of(made, Tables.of(made).matching).table.loc[1]
    assert row[Column.RETURNED_S] == pytest.approx(1.0, abs=0.02)
    assert row[Column.ASKED] == 3


@pytest.mark.parametrize(
    ("changes", "check", "outcome"),
    [
        ({"lost": (6.0, 6.03)}, "lost by kill b", FAIL),  # they were not in flight at the same time
        ({"lost": (6.0, 7.0)}, "errors", FAIL),  # nothing is in flight at a backend that is dead
        ({"lost": (6.0, 7.0), "culprit": "a"}, "errors", FAIL),
        ({"lost": (2.0,)}, "errors", FAIL),
        ({"resent": True}, "sent twice", FAIL),
        ({"back_s": 21.0}, "returned kill b", FAIL),
        ({"back_s": 99.0}, "returned kill b", FAIL),
        ({"probed_every_s": 0.5}, "left alone kill b", FAIL),
        ({"lost": (), "probed_every_s": 1.5}, "noticed kill b", FAIL),
        ({"swapped": 5}, "split in without", FAIL),
        ({"applied_faults": STRIKES[:1]}, "faults", INVALID),
        ({"applied_faults": (STRIKES[0], STRIKES[1]._replace(failure="it does not start"))}, "faults", INVALID),
        ({"applied_faults": (STRIKES[0]._replace(stage="without"), STRIKES[1])}, "faults", INVALID),
    ],
)
def test_a_prediction_that_does_not_come_true_turns_its_check(changes, check, outcome):
    assert turned(**changes).get(check) == outcome


@pytest.mark.parametrize(("method", "outcome"), [("POST", FAIL), ("PATCH", FAIL), ("PUT", UNTESTED)])
def test_sent_twice_is_held_only_against_a_request_that_may_not_be_repeated(method, outcome):
    made = broken_run(resent=True)
    asked = made.manifest.scenario.model_copy(update={"target": Target(method=method)})
    made = replace(made, manifest=made.manifest.model_copy(update={"scenario": asked}))
    (check,) = (each for each in judge(made, Tables.of(made)).checks if each.name == "sent twice")
    assert (check.outcome, check.claim.split()[1]) == (outcome, method)


@pytest.mark.parametrize(("back_s", "bounds"), [(17.5, healed_bounds), (19.98, returned_bounds)])
def test_split_after_a_return_is_that_of_settled_picks_once_enough_were_made(back_s, bounds):
    made = broken_run(back_s=back_s)
    healed = parts(made, Aftermath.of(made, Tables.of(made).matching))[-1]
    assert (healed.stage, sum(healed.picks.values())) == ("healed", 500)
    assert list(healed.allowed.values()) == bounds(list(WEIGHTS.values()), 500)


def test_split_after_a_return_of_several_states_holds_for_any_number_of_picks_of_each():
    made = broken_run()
    claim = made.manifest.claim.model_copy(update={"cycles": 2})
    made = replace(made, manifest=made.manifest.model_copy(update={"claim": claim}))
    healed = parts(made, Aftermath.of(made, Tables.of(made).matching))[-1]
    assert list(healed.allowed.values()) == [2 * bound for bound in rising_bounds(list(WEIGHTS.values()))]


def test_an_answer_that_a_kill_cut_off_is_accounted_for_and_no_other():
    assert "altered" not in turned(cut_off=True)
    assert turned(cut_off=True, lost=(6.0, 7.0))["altered"] is FAIL
    assert turned(cut_off=True, culprit="a")["altered"] is FAIL


def test_of_a_balancer_that_forgives_more_than_one_failure_nothing_is_predicted():
    made = broken_run()
    forgiving = made.stack.model_copy(update={"patience": PATIENCE.model_copy(update={"max_fails": 3})})
    found = replace(made, stack=forgiving)
    checks = {check.name: check for check in judge(found, Tables.of(found)).checks}
    broken = {name for name, check in checks.items() if check.outcome is INVALID}
    assert {"noticed kill b", "left alone kill b", "returned kill b", "split in without"} <= broken
    doubt = "the predictions are for max_fails=1, and the configuration has 3"
    assert checks["noticed kill b"].observed.endswith(doubt)
    assert checks["lost by kill b"].outcome is Outcome.PASS


def test_an_answer_that_a_hanging_backend_cut_off_is_no_disagreement():
    made = faults_injected(
        [strike(1, "hang", 6, 6, "failing"), strike(2, "resume", 16, 16.5, "returning")], cut_off=True
    )
    answered = {tag: int((made.responses[Column.HOST_TAG] == tag).sum()) for tag in "abc"}

    def agreement(created):
        found = replace(made, processed=frame(counted(answered | {"b": created}), Processed))
        return {check.name: check.outcome for check in judge(found, Tables.of(found)).checks}["ledgers b"]

    assert agreement(answered["b"] + 1) is Outcome.PASS
    assert agreement(answered["b"]) is FAIL
    assert agreement(answered["b"] + 2) is INVALID  # somebody else may have asked for it


def test_only_while_another_lives_has_a_dead_backend_to_be_left_alone():
    others = [strike(number, "kill", 5.9, 5.9, "failing", tag) for number, tag in enumerate("ac", 1)]
    own = [strike(3, "kill", 6, 6, "failing"), strike(4, "start", 16, 16.5, "returning")]

    def asked_and_may_be(applied_faults):
        made = faults_injected(applied_faults, probed_every_s=0.5)
        return tuple(Aftermath.of(made, Tables.of(made).matching).table.loc[3][[Column.ASKED, Column.MAY_BE_ASKED]])

    assert asked_and_may_be([*others, *own]) == (0, 1)
    asked, may_be = asked_and_may_be([others[0], *own])
    assert asked > may_be == 5


def test_a_retry_at_a_backend_that_was_well_is_not_accounted_for():
    assert (
        turned(applied_faults=(strike(1, "fail", 1.0, 1.0, "healthy", backend="a"), STRIKES[1]))["retried"] == INVALID
    )


def test_what_hangs_may_cost_a_request_of_each_user_and_one_for_each_probe():
    assert allowed_losses(of("hang", 6.0, 40.0), None, 0, 200, PATIENCE).most == 200 + 3  # after 30, 32 and 34 s
    assert probes_of(of("hang", 6.0, 40.0), PATIENCE) == 3
    assert allowed_losses(of("hang", 6.0, 16.0), None, 0, 200, PATIENCE).most == 0  # nobody has given up by then


@pytest.mark.parametrize("kind", ["stop", "restart", "new-address"])
def test_what_is_done_gracefully_may_cost_nothing(kind):
    assert allowed_losses(of(kind), None, 50, 200, PATIENCE).most == 0


def test_a_kill_is_to_be_noticed_within_a_second_and_a_503_never():
    assert noticed_within_s(of("kill"), PATIENCE) == 1.0
    assert noticed_within_s(of("hang"), PATIENCE) == 31.0
    assert noticed_within_s(of("fail"), PATIENCE) == float("inf")


@pytest.mark.parametrize(
    ("until_s", "outcome", "observed"),
    [
        (20.49, Outcome.PASS, "1,448, the last 3.990 s late"),
        (20.51, FAIL, "1,450, the last 4.010 s late"),
    ],
)
def test_requests_are_turned_away_only_until_the_first_that_is_well_has_to_be_asked_again(until_s, outcome, observed):
    made = in_blackout(until_s)
    checks = {check.name: check for check in judge(made, Tables.of(made)).checks}
    assert (checks["lost in blackout"].outcome, checks["lost in blackout"].observed) == (outcome, observed)
    assert checks["lost by kill a"].observed == "0"
    assert checks["errors"].outcome == Outcome.PASS


def test_blackout_of_three_kills_lasts_from_the_last_kill_until_the_first_is_well():
    kills = [strike(number, "kill", number, number, "failing", whom) for number, whom in enumerate("abc", start=1)]
    starts = [strike(3 + number, "start", 6 + number, 7 + number, "failing", whom) for number, whom in enumerate("abc")]
    amiss = outages(frame([*kills, *starts], AppliedFault))
    assert [(begin - 1000, end - 1000) for begin, end in blackouts_of(amiss, ["a", "b", "c"])] == [(3.0, 7.0)]
    assert list(blackouts_of(amiss[:2], ["a", "b", "c"])) == []


@pytest.mark.parametrize(
    ("unlogged_s", "is_accounted_for"),
    [
        ((), True),
        ((6.05,), True),
        ((6.05, 6.06), False),  # a worker does one thing after the other
        ((8.0,), False),
    ],
)
def test_a_worker_that_is_killed_may_have_answered_one_request_that_it_did_not_log(unlogged_s, is_accounted_for):
    made = robbed_of_a_worker(*unlogged_s)
    turned = [check.name for check in judge(made, Tables.of(made)).checks if check.outcome in (FAIL, INVALID)]
    kinds = {name.split()[0] for name in turned} - set(OTHERS)
    assert kinds == (set() if is_accounted_for else {"unlogged", "unasked", "ledgers", "split"})


@pytest.mark.parametrize(
    ("samples", "outcome"),
    [
        ([sample(6.2, "b"), sample(12.0, "b", health="unhealthy")], Outcome.PASS),
        ([sample(6.2, "b"), sample(12.0, "b")], INVALID),
        ([sample(12.0, "a", health="unhealthy"), sample(17.0, "b", health="unhealthy")], INVALID),
        ([], INVALID),
    ],
)
def test_it_is_a_finding_that_nobody_acts_on_what_is_unhealthy_only_where_it_was_called_so(samples, outcome):
    ill = [strike(1, "unhealthy", 6.0, 6.01, "failing"), strike(2, "resume", 16.0, 16.1, "returning")]
    made = replace(faults_injected(ill, lost=(), back_s=0.0, probed_every_s=99.0), resources=frame(samples, Resource))
    check = next(each for each in judge(made, Tables.of(made)).checks if each.name == "undetected unhealthy b")
    assert check.outcome == outcome
    assert check.observed.endswith("did not call it unhealthy meanwhile") == (outcome is INVALID)
