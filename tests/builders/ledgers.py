"""Ledgers of a run, and which checks turn on them."""

from analysis.checks.check import Outcome
from analysis.tables import Tables
from analysis.verdict import judge
from tests.builders.evidence import response

EXACT = {"a": 167, "b": 333, "c": 500}
WEIGHTS = {"a": 1, "b": 2, "c": 3}
FAIL, INVALID = Outcome.FAIL, Outcome.INVALID
SPLITS = {f"{kind} {tag}": INVALID for kind in ("split", "running split") for tag in WEIGHTS}


def rows():
    """In the order of the cycle, a millisecond apart."""
    picks = [tag for _ in range(166) for tag in "cbacbc"] + ["c", "b", "a", "c"]
    return [response(number, tag) for number, tag in enumerate(picks)]


def turned(made):
    verdict = judge(made, Tables.of(made))
    assert all(check.meaning for check in verdict.checks)
    return {
        check.name: check.outcome
        for check in verdict.checks
        if check.outcome not in (Outcome.PASS, Outcome.UNTESTED) and check.name not in ("services", "errors")
    }
