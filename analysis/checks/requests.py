"""Checks of the requests: all were sent, few enough failed, only claimed backends answered, and in time."""

from collections.abc import Iterator

import pandas as pd

from analysis.checks import sources
from analysis.checks.check import Check, CheckKind, Outcome
from analysis.evidence.evidence import Evidence
from analysis.evidence.request_rows import counted
from analysis.faults.aftermath import Aftermath
from analysis.measures.generator import own_faults
from analysis.measures.statistics import ALL
from scenarios.formats.columns import Column

REQUESTS = CheckKind(
    title="requests",
    claim="The run sent exactly the requests asked for, each under an id of its own.",
    meaning="The run was not what the scenario asks for, so it says nothing about the claim.",
    evidence=sources.RESPONSES,
)
ERRORS = CheckKind(
    title="errors",
    claim="No more requests fail than the scenario allows, besides those that a fault explains.",
    meaning="Users would have been turned away, or left without an answer.",
    evidence=sources.RESPONSES,
    is_always_compared=True,
)
BACKENDS = CheckKind(
    title="backends",
    claim="Only backends of the claim answer.",
    meaning="A backend answers that the configuration does not name.",
    evidence=sources.DISTRIBUTION,
)
P99 = CheckKind(
    title="p99",
    claim="99 % of the answers in stage {subject} arrive in time.",
    meaning="One user in a hundred waits longer than the scenario allows.",
    evidence=sources.LATENCY,
)
KINDS = (REQUESTS, ERRORS, BACKENDS, P99)


def requests_check(evidence: Evidence, repeated: int) -> Check:
    """Test that the run was complete; `repeated` is how many ids came more than once."""
    end = evidence.manifest.end
    assert end is not None
    asked, sent = evidence.manifest.scenario.requests, len(evidence.responses)
    sound = end.complete and sent == asked and not repeated
    return Check(
        kind=REQUESTS,
        expected=f"{asked:,}",
        observed="; ".join(
            [
                f"{sent:,}",
                *([f"{repeated:,} ids repeated"] if repeated else []),
                *([end.reason] if not end.complete else []),
            ]
        ),
        outcome=Outcome.PASS if sound else Outcome.INVALID,
    )


def errors_check(evidence: Evidence, aftermath: Aftermath | None) -> Check:
    """Test the error rate, without the requests that a fault explains."""
    allowed = evidence.manifest.scenario.expect.error_rate
    errors = evidence.responses[Column.ERROR]
    errors = errors[~own_faults(errors)]  # which have a check of their own
    if aftermath is not None:
        explained = aftermath.losses.loc[aftermath.losses[Column.FAULT] != 0, Column.REQUEST_ID]
        errors = errors[~evidence.responses.loc[errors.index, Column.REQUEST_ID].isin(explained)]
    faults = counted(errors[errors != ""])
    failed, sent = int(faults.sum()), len(evidence.responses)
    commonest = f": {faults.idxmax()}" if failed else ""
    return Check(
        kind=ERRORS,
        expected=f"at most {100 * allowed:g} %",
        observed=f"{failed:,} of {sent:,}{commonest}",
        outcome=Outcome.of(held=failed <= allowed * sent, known=sent > 0),
    )


def backends_check(evidence: Evidence, distribution: pd.DataFrame) -> Check:
    """Test that no other backend answered."""
    strangers = distribution[(distribution[Column.WEIGHT] == 0) & (distribution[Column.ANSWERED] > 0)][Column.ANSWERED]
    return Check(
        kind=BACKENDS,
        expected=", ".join(evidence.manifest.claim.weights),
        observed=", ".join(f"{tag} answered {count:,}" for tag, count in strangers.items()) or "no other",
        outcome=Outcome.of(held=strangers.empty, known=bool(distribution[Column.ANSWERED].sum())),
    )


def latency_checks(evidence: Evidence, latency: pd.DataFrame) -> Iterator[Check]:
    """Test the thresholds of the scenario, stage by stage."""
    for stage, limit_ms in evidence.manifest.scenario.expect.p99_ms.items():
        known = (ALL, stage) in latency.index
        p99_ms = float(latency[Column.P99_MS][ALL, stage]) if known else float("nan")
        yield Check(
            kind=P99,
            subject=stage,
            expected=f"at most {limit_ms:,g} ms",
            observed=f"{p99_ms:,.1f} ms" if known else "no answer in this stage",
            outcome=Outcome.of(held=p99_ms <= limit_ms, known=known),
        )
