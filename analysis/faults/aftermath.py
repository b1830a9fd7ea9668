"""What came of each fault, beside what was predicted of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, isinf, isnan, nan
from typing import Any

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.faults.losses import losses, unlogged
from analysis.faults.outages import Blackout, Outage, blackouts_of, outages
from analysis.faults.prediction import (
    LossLimit,
    allowed_losses,
    asks_allowed,
    noticed_within_s,
    returned_within_s,
)
from analysis.faults.timed_attempts import TURN_S, most_at_once, timed_attempts
from analysis.measures.matching import Matching
from scenarios.formats.columns import Column
from scenarios.spec.patience import Patience

COLUMNS = [
    *(
        Column.FAULT,
        Column.KIND,
        Column.BACKEND,
        Column.STAGE,
        Column.AT_S,
        Column.WELL_AFTER_S,
        Column.LOST,
        Column.MAY_LOSE,
        Column.BECAUSE,
    ),
    *(
        Column.NOTICED_S,
        Column.NOTICED_WITHIN_S,
        Column.ASKED,
        Column.MAY_BE_ASKED,
        Column.RETURNED_S,
        Column.RETURNED_WITHIN_S,
    ),
]


@dataclass(frozen=True)
class Aftermath:
    """What was amiss (`outages`, in the order of time), and when no backend lived (`blackouts`).

    `patience` is the balancer's, by which all is judged; `attempts` are its attempts, `losses` the failed requests,
    `unlogged` those that were answered and died with a worker of nginx before it had logged that.

    `table` has a row per outage: its fault's number, its kind, its backend and its stage, `at_s` since the first
    request; after how many seconds it was well again; how many requests were lost by it and how many may be, because
    of what; how soon the balancer knew of it and how soon it has to, in seconds since it was broken; how often it asked
    the backend from then on until it was mended, while another lived, and how often it may; how soon that returned, and
    how soon it has to, in seconds since it was well. Not a number is what was not seen, infinite what has no limit.
    """

    patience: Patience
    outages: list[Outage]
    blackouts: list[Blackout]
    attempts: pd.DataFrame
    losses: pd.DataFrame
    unlogged: pd.DataFrame
    table: pd.DataFrame

    @classmethod
    def of(cls, evidence: Evidence, matching: Matching) -> "Aftermath | None":
        """Of a run that had faults and whose ledgers were kept; else there is none."""
        if evidence.applied_faults.empty or evidence.stack is None or evidence.stack.patience is None:
            return None
        patience = evidence.stack.patience
        amiss, attempts = outages(evidence.applied_faults), timed_attempts(evidence)
        blackouts = list(blackouts_of(amiss, list(evidence.manifest.claim.weights)))
        lost = losses(evidence, matching, amiss, blackouts, attempts)
        rows = [_row(outage, evidence, patience, attempts, blackouts) for outage in amiss]
        table = pd.DataFrame(rows, columns=COLUMNS).set_index(Column.FAULT)
        table[Column.LOST] = lost[Column.FAULT].value_counts().reindex(table.index, fill_value=0)
        return cls(patience, amiss, blackouts, attempts, lost, unlogged(evidence, matching, amiss), table)


def _row(
    outage: Outage, evidence: Evidence, patience: Patience, attempts: pd.DataFrame, blackouts: list[Blackout]
) -> dict[str, Any]:
    own = attempts[attempts[Column.HOST_TAG] == outage.backend]
    may, noticed_s = _allowed(outage, evidence, patience, own), _noticed_s(outage, own)
    return {
        Column.FAULT: outage.number,
        Column.KIND: str(outage.kind),
        Column.BACKEND: outage.backend,
        Column.STAGE: outage.stage,
        Column.AT_S: outage.began_s - evidence.responses[Column.SENT_US].min() / 1e6,
        Column.WELL_AFTER_S: outage.well_s - outage.began_s if isfinite(outage.well_s) else nan,
        Column.MAY_LOSE: may.most,
        Column.BECAUSE: may.reason,
        Column.NOTICED_S: noticed_s,
        Column.NOTICED_WITHIN_S: noticed_within_s(outage, patience),
        **_asked(outage.began_s + noticed_s, outage, own, blackouts, patience),
        Column.RETURNED_S: _returned_s(outage, own),
        Column.RETURNED_WITHIN_S: returned_within_s(outage, patience),
    }


def _allowed(outage: Outage, evidence: Evidence, patience: Patience, own: pd.DataFrame) -> LossLimit:
    client = evidence.responses
    sent_s = client[Column.SENT_US] / 1e6
    on_their_way = pd.DataFrame({Column.FROM_S: sent_s, Column.UNTIL_S: sent_s + client[Column.LATENCY_US] / 1e6})
    until_s = outage.well_s if outage.kind.is_passing else outage.broken_s  # it was applied within that time
    in_flight = most_at_once(on_their_way, outage.began_s - TURN_S, until_s + TURN_S)
    return allowed_losses(outage, own, in_flight, evidence.manifest.scenario.peak_users, patience)


def _noticed_s(outage: Outage, own: pd.DataFrame) -> float:
    """Until the balancer knew of a failure; it leaves a backend alone after so many as it forgives."""
    failed = own.loc[
        own[Column.FAILED] & (own[Column.UNTIL_S] >= outage.began_s) & (own[Column.FROM_S] <= outage.well_s),
        Column.UNTIL_S,
    ]
    return max(0.0, float(failed.min()) - outage.began_s) if len(failed) and outage.is_noticed else nan


def _asked(
    known_s: float, outage: Outage, own: pd.DataFrame, blackouts: list[Blackout], patience: Patience
) -> dict[str, int]:
    """How often it was asked when it was known that it would not answer, and another lived.

    nginx forgives the last of its group every failure, and the name server of Docker forgets the containers that are
    gone: in a blackout the last one that has a name may be asked for everything.
    """
    if isnan(known_s) or isinf(outage.cured_s) or known_s > outage.cured_s:
        return {Column.ASKED: 0, Column.MAY_BE_ASKED: 0}
    asked_s = own.loc[own[Column.FROM_S].between(known_s + TURN_S, outage.cured_s), Column.FROM_S]
    left_alone_s = outage.cured_s - known_s
    for blackout in blackouts:
        asked_s = asked_s[~asked_s.between(*blackout)]
        left_alone_s -= max(0.0, min(blackout.until_s, outage.cured_s) - max(blackout.from_s, known_s))
    return {Column.ASKED: len(asked_s), Column.MAY_BE_ASKED: asks_allowed(left_alone_s, patience)}


def _returned_s(outage: Outage, own: pd.DataFrame) -> float:
    """Until it was asked for something again, and answered."""
    since_s = outage.well_s - TURN_S if outage.kind.is_passing else outage.cured_s  # until then the old one answers
    good = own.loc[~own[Column.FAILED] & (own[Column.FROM_S] >= since_s), Column.FROM_S]
    return max(0.0, float(good.min()) - outage.well_s) if len(good) and outage.is_noticed else nan


def handed_on(attempts: pd.DataFrame) -> Iterator[int]:
    """The requests (numbers) that were sent to a backend after they may have been sent to another."""
    yield from attempts.loc[attempts[Column.SENT] & ~attempts[Column.LAST], Column.REQUEST_ID].drop_duplicates()
