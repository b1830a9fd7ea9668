"""The title of the picture of a run with faults: what was done, and what came of it."""

from collections.abc import Iterator, Sequence
from math import isnan

import pandas as pd

from analysis.charts.drawing.words import listed
from analysis.checks.check import Check, Outcome
from analysis.checks.faults import FAULTS
from analysis.faults.course import UNEXPLAINED, WHILE_ALL_DOWN, Course
from scenarios.formats.columns import Column
from scenarios.spec.fault_kind import FaultKind, MayLose

KINDS = 2  # that a title can tell of
AT_ONCE_S = 0.001  # the clock of the balancer has no smaller step
OF = {  # requests that may be lost
    MayLose.IN_FLIGHT_ON_BACKEND: "in flight",
    MayLose.IN_FLIGHT: "in flight",
    MayLose.EVERY_REQUEST: "asked of it",
}


def answer(course: Course, aftermath: pd.DataFrame, checks: Sequence[Check]) -> str:
    """What was done and what came of it, kind by kind; or the first prediction that did not come true."""
    turned = [check for check in checks if _is_turned(check)]
    turned.sort(key=lambda check: check.outcome is not Outcome.FAIL)
    if turned:
        return _turned(turned)
    told = [_told(FaultKind.of(str(kind)), rows) for kind, rows in aftermath.groupby(Column.KIND, sort=False)]
    more = len(told) - KINDS
    others = [f"{more} other kind{'s' if more > 1 else ''} of fault"] if more > 0 else []
    return "; ".join([*told[:KINDS], *others, *_besides(course.losses_over_time)])


def _is_turned(check: Check) -> bool:
    """Whether a prediction did not come true, or something was not brought about that was to be."""
    return (check.kind.is_prediction and check.outcome is Outcome.FAIL) or _is_undone(check)


def _is_undone(check: Check) -> bool:
    return check.kind is FAULTS and check.outcome is Outcome.INVALID


def _turned(checks: list[Check]) -> str:
    first = checks[0]
    if _is_undone(first):
        return f"Not everything was brought about as the scenario asks for: {first.observed}"
    more = f"; and {len(checks) - 1} more" if len(checks) > 1 else ""
    return f"Not as predicted: {first.name}: {first.observed}{more}"


def _told(kind: FaultKind, rows: pd.DataFrame) -> str:
    backends = list(rows[Column.BACKEND].drop_duplicates())
    subject = "nginx" if kind.is_of_balancer else listed(backends)
    times = f" {len(rows):,} times" if len(rows) > len(backends) else ""
    were = "was" if len(backends) == 1 else "were"
    consequences = ", ".join(_consequences(kind, rows, several=len(backends) > 1))
    return f"{subject} {were} {kind.effect.done}{times}: {consequences}"


def _consequences(kind: FaultKind, rows: pd.DataFrame, *, several: bool) -> Iterator[str]:
    yield _lost(kind, int(rows[Column.LOST].sum()), int(rows[Column.MAY_LOSE].sum()))
    most = "at most " if len(rows) > 1 else ""
    if not kind.effect.is_noticed:
        if not kind.is_of_balancer:
            yield "and the balancer did not notice"
        return
    if not isnan(noticed_s := rows[Column.NOTICED_S].max()):
        yield f"left alone after {most}{_seconds(noticed_s)}"
    if not isnan(returned_s := rows[Column.RETURNED_S].max()):
        well = f"{'they were' if several else 'it was'} well"
        yield (
            f"back {most}{_seconds(returned_s)} after {well}" if returned_s >= AT_ONCE_S else f"back as soon as {well}"
        )


def _lost(kind: FaultKind, lost: int, may: int) -> str:
    requests = OF.get(kind.effect.may_lose)
    if requests and may:
        return f"{lost:,} of {may:,} {requests} lost"
    return f"{lost:,} lost, at most {may:,} may be" if lost else "nothing lost"


def _besides(losses: pd.DataFrame) -> Iterator[str]:
    """What no fault by itself accounts for."""
    if turned_away := int(losses[WHILE_ALL_DOWN].sum()):
        yield f"{turned_away:,} turned away while no backend lived"
    if unknown := int(losses[UNEXPLAINED].sum()):
        yield f"{unknown:,} failed for no known reason"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds >= 1 else f"{1e3 * seconds:,.0f} ms"
