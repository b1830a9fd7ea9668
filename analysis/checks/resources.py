"""Checks of the stack itself: its services ran, within the limits claimed, and were never killed or started again."""

from collections.abc import Iterator

import pandas as pd

from analysis.checks import sources
from analysis.checks.check import Check, CheckKind, Outcome
from analysis.evidence.evidence import Evidence
from analysis.faults.accounting import Account
from analysis.measures.resources import MIB
from scenarios.formats.columns import Column
from scenarios.formats.stack_record import Limits, StackRecord

# The kernel gives out CPU in periods of 0.1 s. A stretch of time meets one period that began before it and one that
# ends after it, besides those that lie within. What was not used may be carried over, a millisecond on each core
# ("CFS Bandwidth Control", kernel documentation).
PERIOD_S = 0.1
SPARE_S = 2 * PERIOD_S
CARRIED_OVER_S = 0.001
LONGEST_GAP_S = 3.0  # between samples, which the engine gives about every second
UNASKED = "starting"  # of a container's health: the engine has not asked for it yet
NOT_ENFORCED = "not enforced on this stack"

SERVICES = CheckKind(
    title="services",
    claim="Every service of the stack runs from before the first request until after the last answer.",
    meaning="A part of the system was not there while it was tested.",
    evidence=sources.RESOURCES,
)
RESTARTS = CheckKind(
    title="restarts",
    claim="No container is started again, by the engine or by a person.",
    meaning="A container could not keep up with the load, or a person restarted it.",
    evidence=sources.RESOURCES,
)
OOM_KILLS = CheckKind(
    title="OOM kills",
    claim="No process is killed for want of memory, children of a service included.",
    meaning="A container has too little memory for this load.",
    evidence=sources.RESOURCES,
)
HEALTH = CheckKind(
    title="health",
    claim="Every health check stays healthy.",
    meaning="The engine found a service unhealthy; an orchestrator would have acted on it.",
    evidence=sources.RESOURCES,
)
LIMITS = CheckKind(
    title="limits",
    claim="The limits in force are those of compose.yaml.",
    meaning="The containers ran with other limits than those that are claimed.",
    evidence=sources.RESOURCES,
)
WITHIN_LIMITS = CheckKind(
    title="within limits",
    claim="No container ever has more CPU or memory than its limit.",
    meaning="A limit did not hold: the machine gave a container more than what was claimed.",
    evidence=sources.RESOURCES,
)
OF_LIMITS = (RESTARTS, OOM_KILLS, HEALTH, LIMITS, WITHIN_LIMITS)  # tested where the stack enforces limits
KINDS = (SERVICES, *OF_LIMITS)


def resource_checks(evidence: Evidence, intervals: pd.DataFrame, account: Account) -> Iterator[Check]:
    """Test what the stack claims about itself, but for what faults account for.

    Nothing where resources were not sampled, as under plain Locust.
    """
    stack = evidence.stack
    if stack is None:
        return
    samples = evidence.resources[evidence.resources[Column.SERVICE].isin(stack.services)]
    gap = _gap(evidence, samples, [service for service in stack.services if service not in account.broken])
    spared = samples[~samples[Column.SERVICE].isin(account.broken)]
    yield _services(spared, stack, gap)
    if not stack.enforces:
        for kind in OF_LIMITS:
            yield Check(kind=kind, expected="", observed=NOT_ENFORCED, outcome=Outcome.UNTESTED)
        return
    yield _restarts(spared, gap)
    yield _oom_kills(samples, gap)
    yield _health(spared, gap)
    yield _limits(samples[~samples[Column.SERVICE].isin(account.limited)], stack, gap)
    of_stack = intervals[intervals[Column.SERVICE].isin(stack.services)]
    yield _within_limits(of_stack, samples, evidence.manifest.host.cpus, gap)


def _gap(evidence: Evidence, samples: pd.DataFrame, services: list[str]) -> str:
    """What was not sampled while requests were under way; empty when everything always was."""
    responses = evidence.responses
    if responses.empty:
        return "no request was sent"
    first, last = responses[Column.SENT_US].min(), (responses[Column.SENT_US] + responses[Column.LATENCY_US]).max()
    for service in services:
        at_us = samples[samples[Column.SERVICE] == service][Column.AT_US].sort_values()
        if at_us.empty:
            return f"{service} was not sampled"
        if at_us.iloc[0] > first or at_us.iloc[-1] < last:
            return f"{service} was not sampled from the first request to the last answer"
        longest_s = at_us.diff().max() / 1e6
        if longest_s > LONGEST_GAP_S:
            return f"{service} was not sampled for {longest_s:.1f} s"
    return ""


def _services(samples: pd.DataFrame, stack: StackRecord, gap: str) -> Check:
    down = samples[samples[Column.STATE] != "running"].drop_duplicates([Column.SERVICE, Column.STATE])
    faults = [f"{service} {state}" for service, state in zip(down[Column.SERVICE], down[Column.STATE], strict=True)]
    return _judged(SERVICES, ", ".join(stack.services), "all running", faults, gap)


def _restarts(samples: pd.DataFrame, gap: str) -> Check:
    lives = samples.groupby([Column.SERVICE, Column.CONTAINER], sort=False)[Column.STARTED_US].nunique()
    starts = (lives - 1).groupby(Column.SERVICE, sort=False).sum()
    by_engine = _grown(samples, [Column.CONTAINER], Column.RESTARTS)
    restarts = pd.concat([starts, by_engine], axis=1).max(axis=1)
    return _judged(RESTARTS, "0", "0", _counted(restarts), gap)


def _oom_kills(samples: pd.DataFrame, gap: str) -> Check:
    """By the kernel's count, which begins anew with the container, and by the engine's word, which knows every life."""
    counted = samples[samples[Column.OOM_KILLS] >= 0]
    by_kernel = _grown(counted, [Column.CONTAINER, Column.STARTED_US], Column.OOM_KILLS)
    by_engine = _grown(samples, [Column.CONTAINER], Column.OOM_EVENTS).clip(upper=1)
    kills = pd.concat([by_kernel, by_engine], axis=1).max(axis=1)
    uncounted = ", ".join(name for name in samples[Column.SERVICE].unique() if name not in set(counted[Column.SERVICE]))
    return _judged(OOM_KILLS, "0", "0", _counted(kills), gap or (f"not counted for {uncounted}" if uncounted else ""))


def _grown(samples: pd.DataFrame, life: list[str], count: str) -> pd.Series:
    """By service, how much a count rose, each life by itself."""
    rise = samples.groupby([Column.SERVICE, *life], sort=False)[count].agg(lambda counts: counts.max() - counts.iloc[0])
    return rise.groupby(Column.SERVICE, sort=False).sum()


def _counted(counts: pd.Series) -> list[str]:
    return [f"{service} {count:.0f}" for service, count in counts.items() if count]


def _health(samples: pd.DataFrame, gap: str) -> Check:
    """By what the engine says; it need not have asked those that were started for a run before this one."""
    ill = samples[~samples[Column.HEALTH].isin(["healthy", UNASKED])].drop_duplicates([Column.SERVICE, Column.HEALTH])
    states = zip(ill[Column.SERVICE], ill[Column.HEALTH], strict=True)
    unasked = samples.loc[samples[Column.HEALTH] == UNASKED, Column.SERVICE].drop_duplicates()
    seen = f"all healthy, {', '.join(unasked)} not asked at once" if len(unasked) else "all healthy"
    return _judged(HEALTH, "healthy", seen, [f"{name} {health or 'unchecked'}" for name, health in states], gap)


def _limits(samples: pd.DataFrame, stack: StackRecord, gap: str) -> Check:
    columns = [Column.SERVICE, Column.CPU_LIMIT, Column.MEMORY_LIMIT_BYTES, Column.SWAP_LIMIT_BYTES, Column.PIDS_LIMIT]
    there = samples[samples[Column.STATE] == "running"].drop_duplicates(columns)
    found = [
        (name, Limits(cpus=cpus, memory_bytes=memory, swap_bytes=swap, pids=pids))
        for name, cpus, memory, swap, pids in zip(*(there[column] for column in columns), strict=True)
    ]
    faults = [f"{name} {_text(limits)}" for name, limits in found if limits != stack.services[name]]
    expected = ", ".join(f"{name} {_text(limits)}" for name, limits in stack.services.items())
    return _judged(LIMITS, expected, "the same", faults, gap)


def _within_limits(intervals: pd.DataFrame, samples: pd.DataFrame, cores: int, gap: str) -> Check:
    cpu = _cpu_of_limit(intervals[intervals[Column.CPU_LIMIT] > 0], cores)
    bound = samples[samples[Column.MEMORY_LIMIT_BYTES] > 0]
    memory = (bound[Column.MEMORY_BYTES] / bound[Column.MEMORY_LIMIT_BYTES]).groupby(bound[Column.SERVICE]).max()
    faults = [f"CPU of {name} {100 * share:.0f} %" for name, share in cpu.items() if share > 1]
    faults += [f"memory of {name} {100 * share:.0f} %" for name, share in memory.items() if share > 1]
    return _judged(
        WITHIN_LIMITS, "at most 100 %", f"CPU {100 * cpu.max():.0f} %, memory {100 * memory.max():.0f} %", faults, gap
    )


def _cpu_of_limit(limited: pd.DataFrame, cores: int) -> pd.Series:
    """By service, the most CPU that it had between two samples, or on the whole, as a share of what it may have had."""
    used = limited.assign(**{Column.CPU_S: limited[Column.CPU] * limited[Column.SECONDS]})
    whole = used.groupby([Column.SERVICE, Column.CONTAINER], as_index=False).agg(
        {Column.CPU_S: "sum", Column.SECONDS: "sum", Column.CPU_LIMIT: "max"}
    )
    stretches = pd.concat([used, whole])
    allowed_s = stretches[Column.CPU_LIMIT] * (stretches[Column.SECONDS] + SPARE_S) + CARRIED_OVER_S * cores
    share = stretches[Column.CPU_S] / allowed_s
    return share.groupby(stretches[Column.SERVICE]).max()


def _judged(kind: CheckKind, expected: str, sound: str, faults: list[str], gap: str) -> Check:
    """A fault that was seen is one, however little was seen; that none was seen means something without a gap only."""
    outcome = Outcome.of(held=not faults, known=bool(faults) or not gap)
    observed = ", ".join(faults) or (f"cannot tell: {gap}" if gap else sound)
    return Check(kind=kind, expected=expected, observed=observed, outcome=outcome)


def _text(limits: Limits) -> str:
    parts = [f"{limits.cpus:g} CPU"] if limits.cpus else []
    parts += [f"{limits.memory_bytes / MIB:g} MiB"] if limits.memory_bytes else []
    parts += [f"{limits.swap_bytes / MIB:g} MiB swap"] if limits.swap_bytes > 0 else []
    parts += ["any swap"] if limits.swap_bytes < 0 else []
    parts += [f"{limits.pids} processes"] if limits.pids else []
    return " ".join(parts) or "unlimited"
