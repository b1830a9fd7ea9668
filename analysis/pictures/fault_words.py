"""The title of the picture of a run with faults: what was done, and what came of it."""

from collections.abc import Iterator, Sequence
from math import isnan

import pandas as pd

from analysis.checks.check import Check, Outcome
from analysis.faults.course import IN_THE_DARK, UNEXPLAINED, Course
from analysis.faults.outages import NOTICED
from analysis.pictures.words import listed
from scenarios.fault import OF_NGINX, Kind

JUDGED = ("lost by ", "lost in ", "noticed ", "left alone ", "returned ", "sent twice", "unseen ", "split in ")
BROUGHT_ABOUT = "faults"
KINDS = 2  # that a title can tell of
AT_ONCE_S = 0.001  # the clock of the balancer has no smaller step
DONE = {
    Kind.KILL: "killed",
    Kind.STOP: "stopped",
    Kind.RESTART: "restarted",
    Kind.NEW_ADDRESS: "given another address",
    Kind.HANG: "made to hang",
    Kind.DROP_PACKETS: "cut off",
    Kind.FAIL: "made to answer 503",
    Kind.UNHEALTHY: "made to fail its health check",
    Kind.LIMIT_CPU: "given little CPU",
    Kind.RELOAD_NGINX: "reloaded",
    Kind.KILL_NGINX_WORKER: "robbed of a worker",
}
OF = {Kind.KILL: "in flight", Kind.KILL_NGINX_WORKER: "in flight", Kind.FAIL: "asked of it"}  # that may be lost


def answer(course: Course, aftermath: pd.DataFrame, checks: Sequence[Check]) -> str:
    """What was done and what came of it, kind by kind; or the first prediction that did not come true."""
    turned = [check for check in checks if _is_turned(check)]
    turned.sort(key=lambda check: check.outcome is not Outcome.FAIL)
    if turned:
        return _turned(turned)
    told = [_told(Kind(str(what)), rows) for what, rows in aftermath.groupby("what", sort=False)]
    more = len(told) - KINDS
    others = [f"{more} other kind{'s' if more > 1 else ''} of fault"] if more > 0 else []
    return "; ".join([*told[:KINDS], *others, *_besides(course.toll)])


def _is_turned(check: Check) -> bool:
    """Whether a prediction did not come true, or something was not brought about that was to be."""
    return (check.name.startswith(JUDGED) and check.outcome is Outcome.FAIL) or _is_undone(check)


def _is_undone(check: Check) -> bool:
    return check.name == BROUGHT_ABOUT and check.outcome is Outcome.INVALID


def _turned(checks: list[Check]) -> str:
    first = checks[0]
    if _is_undone(first):
        return f"Not everything was brought about as the scenario asks for: {first.observed}"
    more = f"; and {len(checks) - 1} more" if len(checks) > 1 else ""
    return f"Not as predicted: {first.name}: {first.observed}{more}"


def _told(what: Kind, rows: pd.DataFrame) -> str:
    whom = list(rows["whom"].drop_duplicates())
    who = "nginx" if what in OF_NGINX else listed(whom)
    times = f" {len(rows):,} times" if len(rows) > len(whom) else ""
    were = "was" if len(whom) == 1 else "were"
    return f"{who} {were} {DONE[what]}{times}: {', '.join(_consequences(what, rows, several=len(whom) > 1))}"


def _consequences(what: Kind, rows: pd.DataFrame, *, several: bool) -> Iterator[str]:
    yield _lost(what, int(rows["lost"].sum()), int(rows["may_lose"].sum()))
    most = "at most " if len(rows) > 1 else ""
    if what not in NOTICED:
        if what not in OF_NGINX:
            yield "and nobody noticed"
        return
    if not isnan(noticed_s := rows["noticed_s"].max()):
        yield f"left alone after {most}{_seconds(noticed_s)}"
    if not isnan(returned_s := rows["returned_s"].max()):
        well = f"{'they were' if several else 'it was'} well"
        yield (
            f"back {most}{_seconds(returned_s)} after {well}" if returned_s >= AT_ONCE_S else f"back as soon as {well}"
        )


def _lost(what: Kind, lost: int, may: int) -> str:
    if what in OF and may:
        return f"{lost:,} of {may:,} {OF[what]} lost"
    return f"{lost:,} lost, at most {may:,} may be" if lost else "nothing lost"


def _besides(toll: pd.DataFrame) -> Iterator[str]:
    """What no fault by itself accounts for."""
    if dark := int(toll[IN_THE_DARK].sum()):
        yield f"{dark:,} turned away while no backend lived"
    if unknown := int(toll[UNEXPLAINED].sum()):
        yield f"{unknown:,} failed for no known reason"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds >= 1 else f"{1e3 * seconds:,.0f} ms"
