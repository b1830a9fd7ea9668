"""Every attempt of the balancer, with its time: whom it asked, when, and whether anything was sent."""

import numpy as np
import pandas as pd

from analysis.evidence.balancer_log import by_attempt, took_one
from analysis.evidence.evidence import Evidence
from analysis.measures.attempts import backends_at
from scenarios.formats.columns import Column

DYING_S = 0.005  # that a process which was killed takes to close its connections, one after the other
TURN_S = 0.05  # of an event loop that is busy: nginx looks at its clock once in it
LISTS = [Column.UPSTREAM_ADDRESSES, Column.UPSTREAM_STATUSES, Column.UPSTREAM_CONNECT_S, Column.UPSTREAM_RESPONSE_S]
COLUMNS = [Column.REQUEST_ID, Column.ENDED_S, Column.WORKER, *LISTS]


def timed_attempts(evidence: Evidence) -> pd.DataFrame:
    """A row per attempt, in the order of the log: `request_id` (a number), `host_tag`, `from_s`, `until_s`.

    The times are in seconds since the Unix epoch, as exact as nginx's clock, which stands still within a turn of a
    worker's event loop. `host_tag` is empty where no backend was left to be asked. `sent` is whether a connection was
    there, so that the request may have been sent, `failed` whether no answer came, `last` whether it was the request's
    last attempt.
    """
    log, notation = evidence.balancer, evidence.notation
    asked_any = log[Column.UPSTREAM_ADDRESSES].ne(notation.nothing)
    rows = by_attempt(log.loc[asked_any, COLUMNS], LISTS, notation).reset_index(names="row")
    seconds = pd.to_numeric(rows[Column.UPSTREAM_RESPONSE_S], errors="coerce").fillna(0.0)
    after_s = seconds[::-1].groupby(rows["row"][::-1]).cumsum()[::-1]  # from its beginning to the request's end
    from_s = rows[Column.ENDED_S] - after_s
    addresses = pd.Series(rows[Column.UPSTREAM_ADDRESSES].unique(), dtype="str")
    asked = list(addresses[addresses.str.contains(notation.asked, regex=True)])
    tags = backends_at(evidence, took_one(log[Column.UPSTREAM_ADDRESSES], notation), asked)
    return pd.DataFrame(
        {
            Column.REQUEST_ID: rows[Column.REQUEST_ID],
            Column.HOST_TAG: rows[Column.UPSTREAM_ADDRESSES].map(tags).fillna(""),
            Column.FROM_S: from_s,
            Column.UNTIL_S: from_s + seconds,
            Column.SENT: rows[Column.UPSTREAM_CONNECT_S] != notation.nothing,
            Column.FAILED: rows[Column.UPSTREAM_STATUSES].isin(notation.failed_statuses),
            Column.LAST: rows[Column.LAST],
            Column.WORKER: rows[Column.WORKER],
        }
    )


def most_at_once(attempts: pd.DataFrame, from_s: float, until_s: float) -> int:
    """How many of these were under way in the same `DYING_S` of this time, at most."""
    there = attempts[(attempts[Column.FROM_S] <= until_s) & (attempts[Column.UNTIL_S] >= from_s)]
    begin_s, end_s = there[Column.FROM_S].to_numpy(), there[Column.UNTIL_S].to_numpy()
    moments = np.maximum(end_s, from_s)  # the most are there when one is about to end
    return max((int(((begin_s <= at_s + DYING_S) & (end_s >= at_s)).sum()) for at_s in moments), default=0)
