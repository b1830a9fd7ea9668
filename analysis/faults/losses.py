"""The requests that failed, each with the fault that explains it, if one does; and those that died unlogged."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.faults.outages import Blackout, Outage
from analysis.faults.timed_attempts import TURN_S
from analysis.measures.generator import own_faults
from analysis.measures.matching import Matching
from scenarios.spec.fault_kind import FaultKind

BY_BLACKOUT = -1  # the fault of a request that failed because all backends were down
COLUMNS = ["request_id", "sent_s", "ended_s", "stage", "fault"]


def losses(
    evidence: Evidence, matching: Matching, outages: list[Outage], blackouts: list[Blackout], attempts: pd.DataFrame
) -> pd.DataFrame:
    """A row per failed request: its id (a number), when it was sent and came to its end, its stage, its `fault`.

    `fault` is the number of the one that explains it: it broke the backend that was asked last, or nginx, meanwhile.
    It is `BY_BLACKOUT` where the request was sent to no backend, and ended after the first of the `blackouts` began;
    and 0 where nothing explains it.
    """
    failed = _failed(evidence)
    tried = attempts[attempts["request_id"].isin(failed["request_id"])]
    sent = set(tried.loc[tried["sent"], "request_id"])
    last = tried[tried["last"]].drop_duplicates("request_id").set_index("request_id")
    logged = set(evidence.balancer["request_id"].to_numpy()[matching.balancer])
    faults = []
    for request, from_s, until_s in zip(failed["request_id"], failed["sent_s"], failed["ended_s"], strict=True):
        if request not in logged:
            faults.append(_of_nginx(outages, from_s, until_s))
        elif request not in sent and any(blackout.from_s <= until_s for blackout in blackouts):
            faults.append(BY_BLACKOUT)
        else:
            faults.append(_of_backend(outages, last, request))
    return failed.assign(fault=np.array(faults, dtype="int64"))[COLUMNS]


def unlogged(evidence: Evidence, matching: Matching, outages: list[Outage]) -> pd.DataFrame:
    """A row per request that a worker of nginx had answered, and not logged yet, when it was killed: id, `host_tag`.

    A worker does one thing after the other, so there is one of each at most.
    """
    answered = evidence.responses.iloc[matching.unlogged]
    answered = answered[answered["status"] > 0]
    answered_s = (answered["sent_us"] + answered["latency_us"]) / 1e6
    found: list[int] = []
    for outage in outages:
        if outage.kind is FaultKind.KILL_NGINX_WORKER:
            meets = answered_s.between(outage.began_s - TURN_S, outage.well_s + TURN_S)
            found += [place for place in answered.index[meets] if place not in found][:1]
    return answered.loc[found, ["request_id", "host_tag"]]


def _failed(evidence: Evidence) -> pd.DataFrame:
    rows = evidence.responses
    rows = rows[(rows["error"] != "").to_numpy() & ~own_faults(rows["error"]).to_numpy()]
    sent_s = rows["sent_us"] / 1e6
    return pd.DataFrame(
        {
            "request_id": rows["request_id"],
            "sent_s": sent_s,
            "ended_s": sent_s + rows["latency_us"] / 1e6,
            "stage": rows["stage"].astype("str"),
        }
    )


def _of_nginx(outages: list[Outage], from_s: float, until_s: float) -> int:
    """A request that the balancer did not log was with a worker that is no more."""
    found = (each for each in outages if not each.backend and each.meets(from_s - TURN_S, until_s + TURN_S))
    return _first(found)


def _of_backend(outages: list[Outage], last: pd.DataFrame, request: int) -> int:
    if request not in last.index:
        return 0
    tag, from_s, until_s = (last[column][request] for column in ("host_tag", "from_s", "until_s"))
    found = (each for each in outages if each.backend == tag and each.costs(from_s - TURN_S, until_s + TURN_S))
    return _first(found)


def _first(outages: Iterator[Outage]) -> int:
    outage = next(outages, None)
    return outage.number if outage is not None else 0
