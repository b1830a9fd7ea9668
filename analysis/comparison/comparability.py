"""Whether two runs can be compared at all: what was the same in both, and what a difference would mean."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from analysis.checks.check import Outcome
from analysis.comparison.run import ComparedRun
from scenarios.formats.stack_record import Limits
from scenarios.spec.stage import Stage

GIB = 2**30
NOT_KNOWN = "not known"
COMPLETE = "yes"


class Weight(StrEnum):
    """What it means for the comparison that two runs differ, or do not."""

    SAME = "same"
    IN_MIND = "keep in mind"
    FORBIDS = "forbids the comparison"


class Circumstance(NamedTuple):
    """Something that two runs may have in common: how it was in either, and what follows."""

    what: str
    a: str
    b: str
    weight: Weight


def conditions(a: ComparedRun, b: ComparedRun) -> list[Circumstance]:
    """Everything that should be known before two runs are compared."""
    of_a, of_b = _must_agree(a), _must_agree(b)
    may_a, may_b = _may_differ(a), _may_differ(b)
    return [
        *_states(a, b),
        *_differing(of_a, of_b, Weight.FORBIDS),
        *_differing(may_a, may_b, Weight.IN_MIND),
    ]


def forbidding(found: list[Circumstance]) -> list[Circumstance]:
    """Those for which the runs cannot be compared."""
    return [condition for condition in found if condition.weight is Weight.FORBIDS]


def _states(a: ComparedRun, b: ComparedRun) -> Iterator[Circumstance]:
    """What each run has to be by itself."""
    a_end, b_end = _end(a), _end(b)
    yield Circumstance("complete", a_end, b_end, Weight.SAME if a_end == b_end == COMPLETE else Weight.FORBIDS)
    a_verdict, b_verdict = a.verdict.outcome, b.verdict.outcome
    weight = Weight.SAME if a_verdict == b_verdict else Weight.IN_MIND
    is_invalid = Outcome.INVALID in (a_verdict, b_verdict)
    yield Circumstance("verdict", a_verdict, b_verdict, Weight.FORBIDS if is_invalid else weight)


def _end(run: ComparedRun) -> str:
    end = run.evidence.manifest.end
    assert end is not None
    return COMPLETE if end.complete else f"no: {end.reason}"


def _differing(a: dict[str, str], b: dict[str, str], weight: Weight) -> Iterator[Circumstance]:
    for what in dict.fromkeys([*a, *b]):
        of_a, of_b = a.get(what, NOT_KNOWN), b.get(what, NOT_KNOWN)
        yield Circumstance(what, of_a, of_b, Weight.SAME if of_a == of_b else weight)


def _must_agree(run: ComparedRun) -> dict[str, str]:
    """The work that was asked for, and what it was done with."""
    manifest, stack = run.evidence.manifest, run.evidence.stack
    limits = stack.services if stack is not None else {}
    return {
        "scenario": manifest.scenario.name,
        "requests": f"{manifest.scenario.requests:,}",
        **{f"stage {stage.name}": _stage(stage) for stage in manifest.scenario.stages},
        "request": f"{manifest.target.text}, a body of {len(manifest.target.content):,} bytes",
        "right statuses": manifest.target.statuses_text,
        "errors allowed": f"{100 * manifest.scenario.expect.error_rate:g} %",
        **{f"p99 allowed in {stage}": f"{ms:,g} ms" for stage, ms in manifest.scenario.expect.p99_ms.items()},
        "client": manifest.client,
        "client processes": str(manifest.processes),
        "stack": manifest.stack,
        "weights": ", ".join(f"{tag}={weight}" for tag, weight in manifest.claim.weights.items()),
        "cycles": str(manifest.claim.cycles),
        "services": ", ".join(limits) or NOT_KNOWN,
        **{f"limits of {service}": _limits(each) for service, each in limits.items()},
        "system": manifest.host.system,
        "CPUs": str(manifest.host.cpus),
        "memory": f"{manifest.host.memory_bytes / GIB:.1f} GiB",
    }


def _may_differ(run: ComparedRun) -> dict[str, str]:
    """What may be just what is compared."""
    manifest, stack = run.evidence.manifest, run.evidence.stack
    standing = stack.before if stack is not None else None
    return {
        "git commit": manifest.git_commit or NOT_KNOWN,
        "configuration": standing.configuration[:12] if standing is not None else NOT_KNOWN,
        "target": str(manifest.target.url),
        "open files": str(manifest.host.open_files_limit),
        **manifest.versions,
        **{f"{name} of the stack": version for name, version in (stack.versions if stack else {}).items()},
        **{f"image of {name}": image for name, image in (stack.images if stack else {}).items()},
        "not shown": ", ".join(_not_shown(run)) or "nothing",
    }


def _not_shown(run: ComparedRun) -> Iterator[str]:
    yield from (check.name for check in run.verdict.checks if check.outcome is Outcome.INVALID)


def _stage(stage: Stage) -> str:
    until = f", until {stage.until_requests:,} requests" if stage.until_requests else ""
    lasting = f", for {stage.duration_s:g} s" if stage.duration_s else ""
    together = ", sent together" if stage.rendezvous else ""
    return f"{stage.users:,} users, {stage.spawn_rate:,g} per second{until}{lasting}{together}"


def _limits(limits: Limits) -> str:
    said = {
        "CPU": f"{limits.cpus:g}",
        "bytes": f"{limits.memory_bytes:,}",
        "of swap": f"{limits.swap_bytes:,}",
        "processes": f"{limits.pids:,}",
    }
    return ", ".join(f"{value} {what}" for what, value in said.items()) if limits != Limits() else "none"
