"""What the split of each stage of a run with faults is to be, for odd weights, odd ids and odd claims."""

from dataclasses import replace

import pytest

from analysis.checks.check import Outcome
from analysis.tables import Tables
from analysis.verdict import judge
from scenarios.formats.columns import Column
from tests.builders.broken_run import broken_run, strike
from tests.builders.odd_runs import faults_injected

FAIL, INVALID = Outcome.FAIL, Outcome.INVALID

TOO_MANY = {"a": 10, "b": 20, "c": 30} | {f"other-{number}": 101 + number for number in range(21)}


def splits_after_a_kill(weights):
    """The checks of the split by stage, of a run whose picks are those of 1:2:3."""
    made = broken_run()
    claim = made.manifest.claim.model_copy(update={"weights": weights})
    found = replace(made, manifest=made.manifest.model_copy(update={"claim": claim}))
    checks = {check.name: check for check in judge(found, Tables.of(found)).checks}
    return {stage: checks[f"split in {stage}"] for stage in ("healthy", "without", "healed")}


@pytest.mark.parametrize("weights", [{"a": 10, "b": 20, "c": 30}, {"a": 501, "b": 1002, "c": 1503}])
def test_splits_by_stage_of_large_weights_have_bounds(weights):
    for check in splits_after_a_kill(weights).values():
        assert check.outcome is Outcome.PASS
        assert "±" in check.expected


def test_splits_by_stage_of_too_many_backends_are_invalid_with_the_reason():
    checks = splits_after_a_kill(TOO_MANY)
    assert "±" in checks["healthy"].expected
    for stage in ("without", "healed"):
        assert checks[stage].outcome is INVALID
        assert "too many for a bound after a fault" in checks[stage].observed


def test_ids_that_came_twice_in_a_run_with_faults_make_its_stages_invalid():
    made = broken_run()
    ids = made.responses[Column.REQUEST_ID].to_numpy().copy()
    ids[1] = ids[0]
    found = replace(made, responses=made.responses.assign(**{Column.REQUEST_ID: ids}))
    checks = {check.name: check for check in judge(found, Tables.of(found)).checks}
    assert {checks[name].outcome for name in ("requests", "split in healthy", "split in healed")} == {INVALID}


@pytest.mark.parametrize(("kind", "name"), [("kill", "lost by kill b"), ("fail", "undetected fail b")])
def test_faults_of_a_backend_that_the_claim_does_not_name_fail_the_claim_and_are_no_crash(kind, name):
    made = faults_injected([strike(1, kind, 6, 6, "failing"), strike(2, "resume", 16, 16.5, "returning")])
    claim = made.manifest.claim.model_copy(update={"weights": {"a": 1, "c": 3}})
    found = replace(made, manifest=made.manifest.model_copy(update={"claim": claim}))
    checks = {check.name: check for check in judge(found, Tables.of(found)).checks}
    assert checks["backends"].outcome is FAIL
    assert checks[name].observed.endswith("the claim gives it no share") == (kind == "fail")
