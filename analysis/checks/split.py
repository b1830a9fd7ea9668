"""Checks of the split, by the exact bound of weighted round-robin, and only where what it presupposes was so."""

from collections.abc import Iterator
from fractions import Fraction

import pandas as pd

from analysis.checks import sources
from analysis.checks.check import Check, CheckKind, Outcome
from analysis.checks.ledgers import broken_preconditions, clock_went_back
from analysis.checks.lost_evidence import missing
from analysis.checks.stage_split import SPLIT_IN
from analysis.evidence.evidence import Evidence
from analysis.evidence.request_rows import counted
from analysis.faults.accounting import Account
from analysis.faults.stages import EVERY_BACKEND
from analysis.measures.matching import Matching
from analysis.measures.running_split import swing
from analysis.measures.statistics import ROUNDING
from scenarios.formats.columns import Column
from scenarios.formats.rows import BALANCER, RESPONSES
from scenarios.formats.stack_record import STACK
from scenarios.spec.round_robin.cycle import window_bounds

SPLIT = CheckKind(
    title="split",
    claim="{subject} answers {detail} requests.",
    meaning="The balancer does not divide the requests as its configuration says.",
    evidence=sources.DISTRIBUTION,
    is_always_compared=True,
)
SPLIT_BY_WORKER = CheckKind(
    title="split by worker",
    claim="Each worker of the balancer splits what it passes on.",
    meaning="A worker of the balancer does not divide its requests as the configuration says.",
    evidence=sources.BALANCER,
    is_always_compared=True,
)
RUNNING_SPLIT = CheckKind(
    title="running split",
    claim="Between any two moments of the run, too, {subject} is no further off its share than its bound.",
    meaning="The balancer strays from its configuration for a while, even if the totals make up for it.",
    evidence=sources.RUNNING,
)
KINDS = (SPLIT, SPLIT_BY_WORKER, RUNNING_SPLIT)


def split_checks(
    evidence: Evidence, distribution: pd.DataFrame, running: pd.DataFrame, doubt: str, doubt_all_along: str
) -> Iterator[Check]:
    """Test the split of the whole run, of each stage, of each worker with a cycle of its own, and all along.

    Nothing in a run with faults, whose stages are judged by what was predicted of each.
    `doubt` is why the exact bound cannot be applied to a whole, and `doubt_all_along` to its parts, if so.
    """
    if evidence.manifest.scenario.faults:
        return
    yield from _of_run(evidence, distribution, doubt)
    if len(evidence.stages) > 1:
        yield from _of_stages(evidence, doubt)
    if evidence.stack is not None:
        if evidence.manifest.claim.cycles > 1:
            yield _of_workers(evidence, doubt)
        yield from _all_along(evidence, running, doubt_all_along)


def doubt_of(evidence: Evidence, matching: Matching, differences: pd.DataFrame, account: Account) -> str:
    """Why the exact bound cannot be applied; empty when it can. It needs to know every pick of the balancer."""
    assert evidence.manifest.end is not None
    unknown = 0 if evidence.applied_faults.size else int((evidence.responses[Column.HOST_TAG] == "").sum())
    if lost := [name for name in (RESPONSES, BALANCER, STACK) if name in evidence.missing]:
        return missing(lost)
    if evidence.responses.empty:
        return "no request was sent"
    if not evidence.manifest.end.complete:
        return "requests were cut off"
    if matching.sent_again:
        return "the client's ledger has requests twice"
    if broken := broken_preconditions(evidence, differences, account):
        return "; ".join(broken)
    return f"which backend took {unknown:,} requests is not known" if unknown else ""


def doubt_of_times(evidence: Evidence) -> str:
    """Why the order of events is not known; empty when it is."""
    return "the balancer's clock was set back" if clock_went_back(evidence) else ""


def _of_run(evidence: Evidence, distribution: pd.DataFrame, doubt: str) -> Iterator[Check]:
    claim = evidence.manifest.claim
    answered = {tag: int(distribution[Column.ANSWERED][tag]) for tag in distribution.index}
    total_weight = sum(claim.weights.values())
    for tag, (expected, allowed) in _expected(evidence, sum(answered.values()), claim.cycles).items():
        yield Check(
            kind=SPLIT,
            subject=tag,
            detail=f"{claim.weights[tag]} of every {total_weight}",
            expected=f"{float(expected):,.2f} ± {float(allowed):.2f}",
            observed=_unless(doubt, f"{answered[tag]:,}"),
            outcome=Outcome.of(held=abs(answered[tag] - expected) <= allowed, known=not doubt),
        )


def _of_stages(evidence: Evidence, doubt: str) -> Iterator[Check]:
    """No request is under way between two stages, so that each has picks that follow one another."""
    for stage in evidence.stages:
        tags = evidence.responses.loc[evidence.responses[Column.STAGE] == stage, Column.HOST_TAG]
        off = _off(evidence, tags, evidence.manifest.claim.cycles)
        yield _worst(SPLIT_IN, off, doubt, subject=stage, detail=EVERY_BACKEND)


def _of_workers(evidence: Evidence, doubt: str) -> Check:
    """Without shared memory each worker picks by a cycle of its own."""
    off = [
        (over, f"worker {worker}: {said}")
        for worker, rows in evidence.balancer.groupby(Column.WORKER)
        for over, said in _off(evidence, rows[Column.HOST_TAG], 1)
    ]
    return _worst(SPLIT_BY_WORKER, off, doubt)


def _all_along(evidence: Evidence, running: pd.DataFrame, doubt: str) -> Iterator[Check]:
    at_least = swing(running)
    for tag, (_, allowed) in _expected(evidence, 0, evidence.manifest.claim.cycles).items():
        apart = float(at_least.get(tag, 0.0))
        yield Check(
            kind=RUNNING_SPLIT,
            subject=tag,
            expected=f"at most {float(allowed):.2f}",
            observed=_unless(doubt, f"at least {apart:,.2f}"),
            outcome=Outcome.of(held=apart <= float(allowed) + ROUNDING, known=not doubt),
        )


def _worst(
    kind: CheckKind, off: list[tuple[Fraction, str]], doubt: str, *, subject: str = "", detail: str = ""
) -> Check:
    """Of several backends, the one that is furthest beyond what it may be off."""
    over, said = max(off, default=(Fraction(0), "no request"))
    return Check(
        kind=kind,
        subject=subject,
        detail=detail,
        expected="each backend within its bound",
        observed=_unless(doubt, said),
        outcome=Outcome.of(held=over <= 0, known=not doubt),
    )


def _off(evidence: Evidence, tags: pd.Series, cycles: int) -> list[tuple[Fraction, str]]:
    """By backend, how far its count among these is beyond what it may be off, and the same in words."""
    counts = counted(tags[~tags.isin(("", evidence.notation.nothing))])
    found = []
    for tag, (expected, allowed) in _expected(evidence, int(counts.sum()), cycles).items():
        deviation = int(counts.get(tag, 0)) - expected
        found.append((abs(deviation) - allowed, f"{tag} {float(deviation):+,.2f}, ± {float(allowed):.2f} allowed"))
    return found


def _expected(evidence: Evidence, requests: int, cycles: int) -> dict[str, tuple[Fraction, Fraction]]:
    """By backend, its exact part of so many requests, and how far its count may be from that."""
    weights = evidence.manifest.claim.weights
    total, bounds = sum(weights.values()), window_bounds(list(weights.values()))
    return {
        tag: (Fraction(requests * weight, total), cycles * bound)
        for (tag, weight), bound in zip(weights.items(), bounds, strict=True)
    }


def _unless(doubt: str, observed: str) -> str:
    return f"{observed}; cannot tell: {doubt}" if doubt else observed
