"""The verdict in words."""

from collections.abc import Iterator

from analysis.checks.check import Check, Outcome
from analysis.checks.undetected import FindingKind
from analysis.verdict import Verdict

NAMED = 5  # more names than that are no sentence any more
TURNED = (Outcome.FAIL, Outcome.INVALID)


def turned(verdict: Verdict) -> list[Check]:
    """The checks that made the verdict what it is, broken claims first; none when it is PASS."""
    return [check for outcome in TURNED for check in _with(verdict, outcome)]


def undetected(verdict: Verdict) -> list[tuple[str, str]]:
    """What this run found that no configuration of passive checks detects: its name, and what would help."""
    return [
        (check.name, f"{check.claim} It took {check.observed}; its share is {check.expected}. {check.kind.remedy}")
        for check in _with(verdict, Outcome.PASS)
        if isinstance(check.kind, FindingKind)
    ]


def consequence(check: Check) -> str:
    """What follows from a check that turned; empty when it did not."""
    return {
        Outcome.FAIL: check.meaning,
        Outcome.INVALID: f"Not shown. If the claim does not hold: {check.meaning}",
    }.get(check.outcome, "")


def conclusion(verdict: Verdict) -> str:
    """Why the verdict is what it is, in a sentence or two."""
    return " ".join(_conclusion(verdict))


def _conclusion(verdict: Verdict) -> Iterator[str]:
    broken, unknown, untested = (
        _with(verdict, outcome) for outcome in (Outcome.FAIL, Outcome.INVALID, Outcome.UNTESTED)
    )
    tested = len(verdict.checks) - len(untested)
    if broken:
        yield f"{len(broken)} of {tested} claims did not hold: {_names(broken)}."
    if unknown:
        yield f"This run cannot tell whether {len(unknown)} of {tested} claims hold: {_names(unknown)}."
    if not broken and not unknown:
        yield f"All {tested} claims that could be tested held."
    if untested:
        yield f"{len(untested)} could not be tested here, and count{'s' if len(untested) == 1 else ''} for nothing."


def _with(verdict: Verdict, outcome: Outcome) -> list[Check]:
    return [check for check in verdict.checks if check.outcome is outcome]


def _names(checks: list[Check]) -> str:
    named = ", ".join(check.name for check in checks[:NAMED])
    others = len(checks) - NAMED
    return f"{named} and {others} more" if others > 0 else named
