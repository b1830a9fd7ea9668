"""Checks of the split, by the exact bound of weighted round-robin, and only where what it presupposes was so."""

from collections.abc import Iterator
from fractions import Fraction

import pandas as pd

from analysis.checks.check import Check, Outcome
from analysis.checks.ledgers import broken_preconditions, clock_went_back
from analysis.checks.lost import missing
from analysis.evidence import Evidence
from analysis.faults.accounting import Account
from analysis.matching import Matching
from analysis.request_ledgers import counted
from analysis.running import swing
from analysis.statistics import ROUNDING
from scenarios.ledgers import BALANCER, RESPONSES
from scenarios.round_robin import window_bounds
from scenarios.stack_record import STACK


def split_checks(
    evidence: Evidence, distribution: pd.DataFrame, running: pd.DataFrame, doubt: str, doubt_all_along: str
) -> Iterator[Check]:
    """Test the split of the whole run, of each stage, of each worker with a cycle of its own, and all along.

    `doubt` is why the exact bound cannot be applied to a whole, and `doubt_all_along` to its parts, if so.
    """
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
    unknown = 0 if evidence.strikes.size else int((evidence.responses["host_tag"] == "").sum())
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
    return f"who took {unknown:,} requests is not known" if unknown else ""


def doubt_of_times(evidence: Evidence) -> str:
    """Why nobody can tell what was when; empty when one can."""
    return "the balancer's clock was set back" if clock_went_back(evidence) else ""


def _of_run(evidence: Evidence, distribution: pd.DataFrame, doubt: str) -> Iterator[Check]:
    claim = evidence.manifest.claim
    answered = {tag: int(distribution["answered"][tag]) for tag in distribution.index}
    total_weight = sum(claim.weights.values())
    for tag, (expected, allowed) in _expected(evidence, sum(answered.values()), claim.cycles).items():
        yield Check(
            name=f"split {tag}",
            claim=f"{tag} answers {claim.weights[tag]} of every {total_weight} requests.",
            expected=f"{float(expected):,.2f} ± {float(allowed):.2f}",
            observed=_unless(doubt, f"{answered[tag]:,}"),
            outcome=Outcome.of(held=abs(answered[tag] - expected) <= allowed, known=not doubt),
            evidence="distribution.csv",
        )


def _of_stages(evidence: Evidence, doubt: str) -> Iterator[Check]:
    """No request is under way between two stages, so that each has picks that follow one another."""
    for stage in evidence.stages:
        tags = evidence.responses.loc[evidence.responses["stage"] == stage, "host_tag"]
        yield _worst(
            f"split in {stage}",
            f"The split holds in stage {stage} alone.",
            _off(evidence, tags, evidence.manifest.claim.cycles),
            RESPONSES,
            doubt,
        )


def _of_workers(evidence: Evidence, doubt: str) -> Check:
    """Without shared memory each worker picks by a cycle of its own."""
    log = evidence.balancer
    off = [
        (over, f"worker {pid}: {said}")
        for pid, rows in log.groupby("pid")
        for over, said in _off(evidence, rows["upstream_http_x_host_tag"], 1)
    ]
    return _worst("split by worker", "Each worker of the balancer splits what it passes on.", off, BALANCER, doubt)


def _all_along(evidence: Evidence, running: pd.DataFrame, doubt: str) -> Iterator[Check]:
    surely = swing(running)
    for tag, (_, allowed) in _expected(evidence, 0, evidence.manifest.claim.cycles).items():
        apart = float(surely.get(tag, 0.0))
        yield Check(
            name=f"running split {tag}",
            claim=f"{tag} is not further off its share between any two moments of the run, either.",
            expected=f"at most {float(allowed):.2f}",
            observed=_unless(doubt, f"surely {apart:,.2f}"),
            outcome=Outcome.of(held=apart <= float(allowed) + ROUNDING, known=not doubt),
            evidence="running.csv",
        )


def _worst(name: str, claim: str, off: list[tuple[Fraction, str]], source: str, doubt: str) -> Check:
    """Of several backends, the one that is furthest beyond what it may be off."""
    over, said = max(off, default=(Fraction(0), "no request"))
    return Check(
        name=name,
        claim=claim,
        expected="each backend within its bound",
        observed=_unless(doubt, said),
        outcome=Outcome.of(held=over <= 0, known=not doubt),
        evidence=source,
    )


def _off(evidence: Evidence, tags: pd.Series, cycles: int) -> list[tuple[Fraction, str]]:
    """By backend, how far its count among these is beyond what it may be off, and the same in words."""
    counts = counted(tags[~tags.isin(("", "-"))])
    found = []
    for tag, (expected, allowed) in _expected(evidence, int(counts.sum()), cycles).items():
        deviation = int(counts.get(tag, 0)) - expected
        found.append((abs(deviation) - allowed, f"{tag} {float(deviation):+,.2f} of ± {float(allowed):.2f}"))
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
