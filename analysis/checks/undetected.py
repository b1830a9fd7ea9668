"""Findings: faults that passive checks do not detect, so that the backend keeps its share of the requests."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from analysis.checks import sources
from analysis.checks.check import Check, CheckKind, Outcome
from analysis.evidence.evidence import Evidence
from analysis.faults.aftermath import Aftermath
from analysis.faults.outages import Outage
from scenarios.formats.columns import Column
from scenarios.spec.fault_kind import FaultKind


@dataclass(frozen=True, kw_only=True)
class FindingKind(CheckKind):
    """A check that passes when a weakness is there. `remedy` says what would help."""

    remedy: str


def _finding(fault: FaultKind) -> FindingKind:
    return FindingKind(
        title=f"undetected {fault}",
        claim=f"{{subject}} {fault.effect.leaves} and keeps its share, because passive checks do not look at that.",
        meaning="The backend did not keep its share, although passive checks do not look at what is wrong with it.",
        evidence=sources.AFTERMATH,
        is_prediction=True,
        remedy=fault.effect.remedy,
    )


OF_FAULT = {fault: _finding(fault) for fault in FaultKind if fault.is_hidden}
KINDS = tuple(OF_FAULT.values())


def undetected_faults(evidence: Evidence, aftermath: Aftermath) -> Iterator[Check]:
    """Test that a backend with such a fault keeps its share."""
    weights = evidence.manifest.claim.weights
    for outage in aftermath.outages:
        if outage.kind not in OF_FAULT:
            continue
        picks = aftermath.attempts[aftermath.attempts[Column.FROM_S].between(outage.broken_s, outage.cured_s)]
        share = len(picks) * weights.get(outage.backend, 0) / sum(weights.values())
        took = int((picks[Column.HOST_TAG] == outage.backend).sum())
        edges = 1 + evidence.manifest.scenario.peak_users  # picks at its beginning and end, in flight
        doubt = _doubt(outage, picks, evidence)
        yield Check(
            kind=OF_FAULT[outage.kind],
            subject=outage.backend,
            expected=f"{share:,.0f} ± {edges:,} of {len(picks):,} requests",
            observed=f"{took:,}; cannot tell: {doubt}" if doubt else f"{took:,}",
            outcome=Outcome.of(held=abs(took - share) <= edges, known=not doubt),
        )


def _doubt(outage: Outage, picks: pd.DataFrame, evidence: Evidence) -> str:
    """Why the fault could not be detected at all, so that it is no finding; empty when it could."""
    if outage.backend not in evidence.manifest.claim.weights:
        return "the claim gives it no share"
    if picks.empty:
        return "no request came meanwhile"
    if outage.kind is FaultKind.UNHEALTHY and not _was_called_unhealthy(outage, evidence.resources):
        return "the engine did not call it unhealthy meanwhile"
    return ""


def _was_called_unhealthy(outage: Outage, resources: pd.DataFrame) -> bool:
    meanwhile = (resources[Column.AT_US] / 1e6).between(outage.broken_s, outage.cured_s)
    return bool(
        (meanwhile & (resources[Column.SERVICE] == outage.backend) & (resources[Column.HEALTH] == "unhealthy")).any()
    )
