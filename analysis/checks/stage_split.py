"""The split of a single stage: alone in a run with faults, beside that of the whole run in the others."""

from analysis.checks import sources
from analysis.checks.check import Check, CheckKind, Outcome
from analysis.faults.stages import StageSplit

SPLIT_IN = CheckKind(
    title="split in",
    claim="In stage {subject} the balancer divides its picks exactly: {detail}.",
    meaning="In this stage the balancer does not divide the requests as its configuration says.",
    evidence=sources.RESPONSES,
    is_prediction=True,
    is_always_compared=True,
)
KINDS = (SPLIT_IN,)


def predicted_split(part: StageSplit, doubt: str) -> Check:
    """Test the split of a stage in a run with faults. `doubt` is why none of its stages can be judged, if so."""
    expected = ", ".join(f"{tag} {float(share):,.2f}{_bound(part, tag)}" for tag, share in part.shares.items())
    known = not doubt and not part.doubt
    held = known and all(abs(part.off(tag)) <= part.allowed[tag] for tag in part.picks)
    return Check(
        kind=SPLIT_IN,
        subject=part.stage,
        detail=part.condition,
        expected=expected,
        observed=_furthest(part) + ("" if known else f"; cannot tell: {doubt or part.doubt}"),
        outcome=Outcome.of(held=held, known=known),
    )


def _bound(part: StageSplit, tag: str) -> str:
    return f" ± {float(part.allowed[tag]):.2f}" if part.allowed else ""


def _furthest(part: StageSplit) -> str:
    """The backend that is furthest beyond its bound, or nearest to it."""
    worst = max(part.picks, key=lambda tag: abs(part.off(tag)) - part.allowed.get(tag, 0))
    return f"{worst} {float(part.off(worst)):+,.2f}" + (f",{_bound(part, worst)} allowed" if part.allowed else "")
