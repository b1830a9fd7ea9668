"""What is exact: the claims that one run kept and the other broke."""

from typing import NamedTuple

from analysis.checks.check import Check, CheckKind, Outcome
from analysis.comparison.change import Change
from analysis.comparison.run import ComparedRun


class Claimed(NamedTuple):
    """A check of both verdicts: what was observed in either run, and what became of it."""

    kind: CheckKind
    what: str
    a: str
    b: str
    outcome: Change


def claims(a: ComparedRun, b: ComparedRun) -> list[Claimed]:
    """Every claim that both runs were held to, in the verdict's order. Nothing here is a matter of chance."""
    of_b = {(check.kind, check.subject): check for check in b.verdict.checks}
    pairs = [(check, other) for check in a.verdict.checks if (other := of_b.get((check.kind, check.subject)))]
    return [
        Claimed(first.kind, first.name, first.observed, second.observed, _change(first, second))
        for first, second in pairs
        if {first.outcome, second.outcome} != {Outcome.UNTESTED}
    ]


def _change(a: Check, b: Check) -> Change:
    outcomes = {a.outcome, b.outcome}
    if outcomes & {Outcome.INVALID, Outcome.UNTESTED}:
        return Change.UNKNOWN
    if len(outcomes) == 1:
        return Change.SAME
    return Change.WORSE if b.outcome is Outcome.FAIL else Change.BETTER
