"""What cannot be told because a ledger was lost after the run."""

from analysis.checks.check import Check, Outcome
from analysis.evidence import Evidence
from scenarios.ledgers import BACKENDS, BALANCER, FAULTS, RESPONSES
from scenarios.report_directory import MANIFEST

THREE = (RESPONSES, BALANCER, BACKENDS)
RESTS_ON = {  # the ledgers that a check's evidence was made from, where it is none itself, or not it alone
    BALANCER: (RESPONSES, BALANCER),
    "differences.csv": THREE,
    "reconciliation.csv": THREE,
    "distribution.csv": (RESPONSES,),
    "latency.csv": (RESPONSES,),
    "running.csv": (RESPONSES, BALANCER),
    "aftermath.csv": (RESPONSES, BALANCER, FAULTS),
}


def lost(evidence: Evidence) -> Check:
    """The check that says so."""
    return Check(
        name="evidence",
        claim="Everything that the run wrote down is there.",
        expected="every ledger",
        observed=missing(evidence.missing),
        outcome=Outcome.INVALID,
        evidence=MANIFEST,
    )


def told_without(names: list[str], check: Check) -> Check:
    """The check where none of these ledgers is needed for it, else that it cannot be told."""
    needed = [name for name in names if name in RESTS_ON.get(check.evidence, (check.evidence,))]
    if not needed or check.outcome is Outcome.UNTESTED:
        return check
    return check.model_copy(update={"observed": f"cannot tell: {missing(needed)}", "outcome": Outcome.INVALID})


def missing(names: list[str]) -> str:
    """In words."""
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} missing"
