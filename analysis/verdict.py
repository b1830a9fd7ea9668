"""The verdict: a list of checks, each with its claim, what was expected, what was observed and what follows."""

from typing import Self

from pydantic import BaseModel

from analysis.checks import (
    differences,
    faults,
    generator,
    ledgers,
    lost_evidence,
    requests,
    resources,
    split,
    stage_split,
    undetected,
)
from analysis.checks.check import Check, CheckKind, Outcome
from analysis.evidence.evidence import Evidence
from analysis.faults.accounting import Account
from analysis.tables import Tables

PARTS = (
    *(lost_evidence, requests, generator, faults, undetected, stage_split),
    *(ledgers, differences, split, resources),
)
KINDS: dict[str, CheckKind] = {kind.title: kind for part in PARTS for kind in part.KINDS}
BROKEN = "backends or the balancer were broken on purpose: each stage is judged by itself"


class Verdict(BaseModel):
    """A run is as good as its worst check; a broken claim weighs more than one that could not be tested."""

    scenario: str
    outcome: Outcome
    doubt: str  # why it is not known whether the split is the one that is claimed; empty where that is known
    doubt_all_along: str  # the same for the split between any two moments
    checks: list[Check]

    @classmethod
    def read(cls, document: bytes) -> Self:
        """From `verdict.json`. Raises `ValidationError` where that is damaged."""
        return cls.model_validate_json(document, context=KINDS)

    @property
    def of_stages(self) -> list[Check]:
        """The checks of the split of single stages, where the split of the whole run is not judged."""
        if any(check.kind is split.SPLIT for check in self.checks):
            return []
        return [check for check in self.checks if check.kind is stage_split.SPLIT_IN]


def judge(evidence: Evidence, tables: Tables) -> Verdict:
    """Test everything that the scenario and the configuration claim."""
    account, with_faults = Account.of(tables.aftermath), bool(evidence.manifest.scenario.faults)
    doubt = split.doubt_of(evidence, tables.matching, tables.unaccounted, account)
    all_along = doubt or split.doubt_of_times(evidence)
    checks = [
        requests.requests_check(evidence, tables.matching.sent_again),
        *generator.generator_checks(evidence, tables.stages, tables.overhead),
        requests.errors_check(evidence, tables.aftermath),
        requests.backends_check(evidence, tables.distribution),
        *faults.fault_checks(evidence, tables.aftermath, doubt),
        *ledgers.ledger_checks(evidence, tables.matching, tables.reconciliation, tables.unaccounted, account),
        *split.split_checks(evidence, tables.distribution, tables.running, doubt, all_along),
        *requests.latency_checks(evidence, tables.latency),
        *resources.resource_checks(evidence, tables.intervals, account),
    ]
    if evidence.missing:
        checks = [
            lost_evidence.lost(evidence),
            *(lost_evidence.told_without(evidence.missing, each) for each in checks),
        ]
    worst = max((check.outcome for check in checks), key=list(Outcome).index)
    name = evidence.manifest.scenario.name
    why = doubt or (BROKEN if with_faults else "")
    return Verdict(scenario=name, outcome=worst, doubt=why, doubt_all_along=all_along or why, checks=checks)
