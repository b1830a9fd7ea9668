"""The requests that failed, each with the fault that explains it, if one does; and those that died unlogged."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.faults.outages import Blackout, Outage
from analysis.faults.timed_attempts import TURN_S
from analysis.measures.generator import own_faults
from analysis.measures.matching import Matching
from scenarios.formats.columns import Column
from scenarios.spec.fault_kind import FaultKind

BY_BLACKOUT = -1  # the fault of a request that failed because all backends were down
COLUMNS = [Column.REQUEST_ID, Column.SENT_S, Column.ENDED_S, Column.STAGE, Column.FAULT]


def losses(
    evidence: Evidence, matching: Matching, outages: list[Outage], blackouts: list[Blackout], attempts: pd.DataFrame
) -> pd.DataFrame:
    """A row per failed request: its id (a number), when it was sent and came to its end, its stage, its `fault`.

    `fault` is the number of the one that explains it: it broke the backend that was asked last, or nginx, meanwhile.
    It is `BY_BLACKOUT` where the request was sent to no backend, and ended after the first of the `blackouts` began;
    and 0 where nothing explains it.
    """
    failed = _failed(evidence)
    tried = attempts[attempts[Column.REQUEST_ID].isin(failed[Column.REQUEST_ID])]
    sent = set(tried.loc[tried[Column.SENT], Column.REQUEST_ID])
    last = tried[tried[Column.LAST]].drop_duplicates(Column.REQUEST_ID).set_index(Column.REQUEST_ID)
    logged = set(evidence.balancer[Column.REQUEST_ID].to_numpy()[matching.balancer])
    faults = []
    for request, from_s, until_s in zip(
        failed[Column.REQUEST_ID], failed[Column.SENT_S], failed[Column.ENDED_S], strict=True
    ):
        if request not in logged:
            faults.append(_of_nginx(outages, from_s, until_s))
        elif request not in sent and any(blackout.from_s <= until_s for blackout in blackouts):
            faults.append(BY_BLACKOUT)
        else:
            faults.append(_of_backend(outages, last, request))
    return failed.assign(**{Column.FAULT: np.array(faults, dtype="int64")})[COLUMNS]


def unlogged(evidence: Evidence, matching: Matching, outages: list[Outage]) -> pd.DataFrame:
    """A row per request that a worker of nginx had answered, and not logged yet, when it was killed: id, `host_tag`.

    A worker does one thing after the other, so there is one of each at most.
    """
    answered = evidence.responses.iloc[matching.unlogged]
    answered = answered[answered[Column.STATUS] > 0]
    answered_s = (answered[Column.SENT_US] + answered[Column.LATENCY_US]) / 1e6
    found: list[int] = []
    for outage in outages:
        if outage.kind is FaultKind.KILL_NGINX_WORKER:
            meets = answered_s.between(outage.began_s - TURN_S, outage.well_s + TURN_S)
            found += [place for place in answered.index[meets] if place not in found][:1]
    return answered.loc[found, [Column.REQUEST_ID, Column.HOST_TAG]]


def _failed(evidence: Evidence) -> pd.DataFrame:
    rows = evidence.responses
    rows = rows[(rows[Column.ERROR] != "").to_numpy() & ~own_faults(rows[Column.ERROR]).to_numpy()]
    sent_s = rows[Column.SENT_US] / 1e6
    return pd.DataFrame(
        {
            Column.REQUEST_ID: rows[Column.REQUEST_ID],
            Column.SENT_S: sent_s,
            Column.ENDED_S: sent_s + rows[Column.LATENCY_US] / 1e6,
            Column.STAGE: rows[Column.STAGE].astype("str"),
        }
    )


def _of_nginx(outages: list[Outage], from_s: float, until_s: float) -> int:
    """A request that the balancer did not log was with a worker that is no more."""
    found = (each for each in outages if not each.backend and each.meets(from_s - TURN_S, until_s + TURN_S))
    return _first(found)


def _of_backend(outages: list[Outage], last: pd.DataFrame, request: int) -> int:
    if request not in last.index:
        return 0
    tag, from_s, until_s = (last[column][request] for column in (Column.HOST_TAG, Column.FROM_S, Column.UNTIL_S))
    found = (each for each in outages if each.backend == tag and each.costs(from_s - TURN_S, until_s + TURN_S))
    return _first(found)


def _first(outages: Iterator[Outage]) -> int:
    outage = next(outages, None)
    return outage.number if outage is not None else 0
