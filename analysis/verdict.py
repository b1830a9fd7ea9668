"""The verdict: a list of checks, each with its claim, what was expected, what was observed and what follows."""

from collections.abc import Iterator

import pandas as pd
from pydantic import BaseModel

from analysis.checks.check import Check, Outcome
from analysis.checks.faults import fault_checks
from analysis.checks.generator import generator_checks
from analysis.checks.ledgers import ledger_checks
from analysis.checks.lost import lost, told_without
from analysis.checks.resources import resource_checks
from analysis.checks.split import doubt_of, doubt_of_times, split_checks
from analysis.evidence import Evidence
from analysis.faults.accounting import Account
from analysis.faults.aftermath import Aftermath
from analysis.generator import own_faults
from analysis.request_ledgers import counted
from analysis.statistics import ALL
from analysis.tables import Tables
from scenarios.ledgers import RESPONSES

SPLIT_IN = "split in "
BROKEN = "backends or the balancer were broken on purpose: each stage is judged by itself"


class Verdict(BaseModel):
    """A run is as good as its worst check; a broken claim weighs more than one that could not be tested."""

    scenario: str
    outcome: Outcome
    doubt: str  # why nobody can tell whether the split is the one that is claimed; empty where that can be told
    doubt_all_along: str  # the same for the split between any two moments
    checks: list[Check]

    @property
    def of_stages(self) -> list[Check]:
        """The checks of the split of single stages, in a run with faults."""
        return [check for check in self.checks if check.name.startswith(SPLIT_IN)]


def judge(evidence: Evidence, tables: Tables) -> Verdict:
    """Test everything that the scenario and the configuration claim."""
    account, with_faults = Account.of(tables.aftermath), bool(evidence.manifest.scenario.faults)
    doubt = doubt_of(evidence, tables.matching, tables.unaccounted, account)
    all_along = doubt or doubt_of_times(evidence)
    checks = [
        _requests(evidence, tables.matching.sent_again),
        *generator_checks(evidence, tables.stages, tables.overhead),
        _errors(evidence, tables.aftermath),
        _strangers(evidence, tables.distribution),
        *fault_checks(evidence, tables.aftermath, doubt),
        *ledger_checks(evidence, tables.matching, tables.reconciliation, tables.unaccounted, account),
        *(split_checks(evidence, tables.distribution, tables.running, doubt, all_along) if not with_faults else []),
        *_thresholds(evidence, tables.latency),
        *resource_checks(evidence, tables.intervals, account),
    ]
    if evidence.missing:
        checks = [lost(evidence), *(told_without(evidence.missing, check) for check in checks)]
    worst = max((check.outcome for check in checks), key=list(Outcome).index)
    name = evidence.manifest.scenario.name
    why = doubt or (BROKEN if with_faults else "")
    return Verdict(scenario=name, outcome=worst, doubt=why, doubt_all_along=all_along or why, checks=checks)


def _requests(evidence: Evidence, repeated: int) -> Check:
    end = evidence.manifest.end
    assert end is not None
    asked, sent = evidence.manifest.scenario.requests, len(evidence.responses)
    sound = end.complete and sent == asked and not repeated
    return Check(
        name="requests",
        claim="The run sent exactly the requests asked for, each under an id of its own.",
        expected=f"{asked:,}",
        observed="; ".join(
            [
                f"{sent:,}",
                *([f"{repeated:,} ids repeated"] if repeated else []),
                *([end.reason] if not end.complete else []),
            ]
        ),
        outcome=Outcome.PASS if sound else Outcome.INVALID,
        evidence=RESPONSES,
    )


def _errors(evidence: Evidence, aftermath: Aftermath | None) -> Check:
    allowed = evidence.manifest.scenario.expect.error_rate
    errors = evidence.responses["error"][~own_faults(evidence)]  # which have a check of their own
    if aftermath is not None:
        explained = aftermath.losses.loc[aftermath.losses["fault"] != 0, "request_id"]
        errors = errors[~evidence.responses.loc[errors.index, "request_id"].isin(explained)]
    faults = counted(errors[errors != ""])
    failed, sent = int(faults.sum()), len(evidence.responses)
    commonest = f": {faults.idxmax()}" if failed else ""
    return Check(
        name="errors",
        claim="No more requests fail than the scenario allows, besides those that a fault explains.",
        expected=f"at most {100 * allowed:g} %",
        observed=f"{failed:,} of {sent:,}{commonest}",
        outcome=Outcome.of(held=failed <= allowed * sent, known=sent > 0),
        evidence=RESPONSES,
    )


def _strangers(evidence: Evidence, distribution: pd.DataFrame) -> Check:
    strangers = distribution[(distribution["weight"] == 0) & (distribution["answered"] > 0)]["answered"]
    return Check(
        name="backends",
        claim="Only backends of the claim answer.",
        expected=", ".join(evidence.manifest.claim.weights),
        observed=", ".join(f"{tag} answered {count:,}" for tag, count in strangers.items()) or "no other",
        outcome=Outcome.of(held=strangers.empty, known=bool(distribution["answered"].sum())),
        evidence="distribution.csv",
    )


def _thresholds(evidence: Evidence, latency: pd.DataFrame) -> Iterator[Check]:
    for stage, limit_ms in evidence.manifest.scenario.expect.p99_ms.items():
        known = (ALL, stage) in latency.index
        p99_ms = float(latency["p99_ms"][ALL, stage]) if known else float("nan")
        yield Check(
            name=f"p99 {stage}",
            claim=f"99 % of the answers in stage {stage} arrive in time.",
            expected=f"at most {limit_ms:,g} ms",
            observed=f"{p99_ms:,.1f} ms" if known else "no answer in this stage",
            outcome=Outcome.of(held=p99_ms <= limit_ms, known=known),
            evidence="latency.csv",
        )
