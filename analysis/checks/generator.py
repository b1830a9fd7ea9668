"""Checks of the generator: a run in which it fell short says nothing about the system."""

import math
from collections.abc import Iterator

import pandas as pd

from analysis.checks.check import Check, Outcome
from analysis.evidence import Evidence
from analysis.generator import LOOP_LAG, own_faults
from analysis.request_ledgers import counted
from scenarios.ledgers import GENERATOR, RESPONSES

TOGETHER = 0.95  # of the users of a rendezvous, with a request in flight at the same time


def generator_checks(evidence: Evidence, stages: pd.DataFrame, overhead: pd.DataFrame) -> Iterator[Check]:
    """Test what the generator had to bring about."""
    yield _users(stages)
    yield from (
        _rendezvous(
            stage.name, stage.users, *(int(stages[column][stage.name]) for column in ("in_flight", "unanswered"))
        )
        for stage in evidence.manifest.scenario.stages
        if stage.rendezvous
    )
    yield _loop_lag(evidence, overhead)
    yield _processes(evidence)
    yield _own_faults(evidence)


def _check(  # noqa: PLR0913 - it is a row
    name: str, claim: str, expected: str, observed: str, source: str, *, held: bool
) -> Check:
    outcome = Outcome.PASS if held else Outcome.INVALID
    return Check(name=name, claim=claim, expected=expected, observed=observed, outcome=outcome, evidence=source)


def _users(stages: pd.DataFrame) -> Check:
    return _check(
        "users",
        "Every stage had the users that it asks for.",
        ", ".join(f"{stage} {users:,}" for stage, users in stages["users_asked"].items()),
        ", ".join(f"{stage} {users:,}" for stage, users in stages["users"].items()),
        GENERATOR,
        held=bool((stages["users"] >= stages["users_asked"]).all()),
    )


def _rendezvous(stage: str, users: int, in_flight: int, unanswered: int) -> Check:
    return _check(
        f"rendezvous {stage}",
        f"The users of stage {stage} all have sent a request before an answer is read.",
        f"at least {100 * TOGETHER:.0f} % of {users:,}",
        f"{in_flight:,}; {unanswered:,} before one had arrived",
        RESPONSES,
        held=in_flight >= TOGETHER * users,
    )


def _loop_lag(evidence: Evidence, overhead: pd.DataFrame) -> Check:
    limit_ms = evidence.manifest.scenario.generator.loop_lag_p99_ms
    known = LOOP_LAG in overhead.index
    p50, p99, most = (
        float(overhead[column][LOOP_LAG]) if known else math.nan for column in ("p50_ms", "p99_ms", "max_ms")
    )
    return _check(
        LOOP_LAG,
        "The generator gets round to what it has to do in time, and so do its clocks.",
        f"p99 at most {limit_ms:,g} ms",
        f"p50 {p50:,.1f} ms, p99 {p99:,.1f} ms, most {most:,.1f} ms" if known else "nobody looked",
        GENERATOR,
        held=known and p99 <= limit_ms,
    )


def _processes(evidence: Evidence) -> Check:
    expected, seen = evidence.manifest.processes, evidence.pulses["process"].nunique()
    late = f", {seen - expected} of which joined later" if seen > expected else ""
    return _check(
        "processes",
        "All processes of the generator took part.",
        f"{expected:,}",
        f"{seen:,}{late}",
        GENERATOR,
        held=seen >= expected,
    )


def _own_faults(evidence: Evidence) -> Check:
    faults = evidence.responses["error"][own_faults(evidence)]
    commonest = f": {counted(faults).idxmax()}" if len(faults) else ""
    return _check(
        "own faults",
        "No request ends for a reason on the generator's side.",
        "none",
        f"{len(faults):,}{commonest}",
        RESPONSES,
        held=faults.empty,
    )
