"""What cannot be told because a ledger was lost after the run."""

from analysis.checks import sources
from analysis.checks.check import Check, CheckKind, Outcome
from analysis.evidence.evidence import Evidence

EVIDENCE = CheckKind(
    title="evidence",
    claim="Everything that the run wrote down is there.",
    meaning="A part of the evidence is lost, and what it would have shown is not known.",
    evidence=sources.MANIFEST,
)
KINDS = (EVIDENCE,)


def lost(evidence: Evidence) -> Check:
    """The check that says which ledgers are missing."""
    observed = missing(evidence.missing)
    return Check(kind=EVIDENCE, expected="every ledger", observed=observed, outcome=Outcome.INVALID)


def told_without(names: list[str], check: Check) -> Check:
    """The check where none of these ledgers is needed for it, else that it cannot be told."""
    needed = [name for name in names if name in check.kind.evidence.ledgers]
    if not needed or check.outcome is Outcome.UNTESTED:
        return check
    return check.model_copy(update={"observed": f"cannot tell: {missing(needed)}", "outcome": Outcome.INVALID})


def missing(names: list[str]) -> str:
    """In words."""
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} missing"
