"""Checks of the generator: a run in which it fell short says nothing about the system."""

import math
from collections.abc import Iterator

import pandas as pd

from analysis.checks import sources
from analysis.checks.check import Check, CheckKind, Outcome
from analysis.evidence.evidence import Evidence
from analysis.evidence.request_rows import counted
from analysis.measures.generator import LOOP_LAG, own_faults
from scenarios.formats.columns import Column

TOGETHER = 0.95  # of the users of a rendezvous, with a request in flight at the same time

USERS = CheckKind(
    title="users",
    claim="Every stage had the users that it asks for.",
    meaning="There were never as many users as the scenario asks for; the system was tested with less load.",
    evidence=sources.GENERATOR,
)
RENDEZVOUS = CheckKind(
    title="rendezvous",
    claim="All users of stage {subject} have sent a request before an answer is read.",
    meaning="The users did not send together, so the surge was milder than the scenario says.",
    evidence=sources.RESPONSES,
)
LATENESS = CheckKind(
    title=LOOP_LAG,
    claim="The event loop of the generator is on time, and so are its clocks.",
    meaning="The generator was too busy to be on time, and has itself changed latencies and the load.",
    evidence=sources.GENERATOR,
)
PROCESSES = CheckKind(
    title="processes",
    claim="All processes of the generator took part.",
    meaning="A part of the generator was missing, and what it would have shown is not known.",
    evidence=sources.GENERATOR,
)
OWN_FAULTS = CheckKind(
    title="own faults",
    claim="No request ends for a reason on the generator's side.",
    meaning="Requests ended because of the generator; the system was not given the chance to answer.",
    evidence=sources.RESPONSES,
)
KINDS = (USERS, RENDEZVOUS, LATENESS, PROCESSES, OWN_FAULTS)


def generator_checks(evidence: Evidence, stages: pd.DataFrame, overhead: pd.DataFrame) -> Iterator[Check]:
    """Test what the generator had to bring about."""
    yield _users(stages)
    yield from (
        _rendezvous(
            stage.name,
            stage.users,
            *(int(stages[column][stage.name]) for column in (Column.IN_FLIGHT, Column.UNANSWERED)),
        )
        for stage in evidence.manifest.scenario.stages
        if stage.rendezvous
    )
    yield _loop_lag(evidence, overhead)
    yield _processes(evidence)
    yield _own_faults(evidence)


def _check(kind: CheckKind, expected: str, observed: str, *, held: bool, subject: str = "") -> Check:
    outcome = Outcome.PASS if held else Outcome.INVALID
    return Check(kind=kind, subject=subject, expected=expected, observed=observed, outcome=outcome)


def _users(stages: pd.DataFrame) -> Check:
    return _check(
        USERS,
        ", ".join(f"{stage} {users:,}" for stage, users in stages[Column.USERS_ASKED].items()),
        ", ".join(f"{stage} {users:,}" for stage, users in stages[Column.USERS].items()),
        held=bool((stages[Column.USERS] >= stages[Column.USERS_ASKED]).all()),
    )


def _rendezvous(stage: str, users: int, in_flight: int, unanswered: int) -> Check:
    return _check(
        RENDEZVOUS,
        f"at least {100 * TOGETHER:.0f} % of {users:,}",
        f"{in_flight:,}; {unanswered:,} before one had arrived",
        held=in_flight >= TOGETHER * users,
        subject=stage,
    )


def _loop_lag(evidence: Evidence, overhead: pd.DataFrame) -> Check:
    limit_ms = evidence.manifest.scenario.generator.loop_lag_p99_ms
    known = LOOP_LAG in overhead.index
    p50, p99, most = (
        float(overhead[column][LOOP_LAG]) if known else math.nan
        for column in (Column.P50_MS, Column.P99_MS, Column.MAX_MS)
    )
    return _check(
        LATENESS,
        f"p99 at most {limit_ms:,g} ms",
        f"p50 {p50:,.1f} ms, p99 {p99:,.1f} ms, maximum {most:,.1f} ms" if known else "not measured",
        held=known and p99 <= limit_ms,
    )


def _processes(evidence: Evidence) -> Check:
    expected, seen = evidence.manifest.processes, evidence.generator[Column.PROCESS].nunique()
    late = f", {seen - expected} of them joined later" if seen > expected else ""
    return _check(
        PROCESSES,
        f"{expected:,}",
        f"{seen:,}{late}",
        held=seen >= expected,
    )


def _own_faults(evidence: Evidence) -> Check:
    errors = evidence.responses[Column.ERROR]
    faults = errors[own_faults(errors)]
    commonest = f": {counted(faults).idxmax()}" if len(faults) else ""
    return _check(OWN_FAULTS, "none", f"{len(faults):,}{commonest}", held=faults.empty)
