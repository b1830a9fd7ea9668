"""Every attempt of the balancer, with its time: whom it asked, when, and whether anything was sent."""

import numpy as np
import pandas as pd

from analysis.evidence.balancer_log import by_attempt, took_one
from analysis.evidence.evidence import Evidence
from analysis.measures.attempts import backends_at

DYING_S = 0.005  # that a process which was killed takes to close its connections, one after the other
TURN_S = 0.05  # of an event loop that is busy: nginx looks at its clock once in it
LISTS = ["upstream_addresses", "upstream_statuses", "upstream_connect_s", "upstream_response_s"]
COLUMNS = ["request_id", "ended_s", "worker", *LISTS]


def timed_attempts(evidence: Evidence) -> pd.DataFrame:
    """A row per attempt, in the order of the log: `request_id` (a number), `host_tag`, `from_s`, `until_s`.

    The times are in seconds since the Unix epoch, as exact as nginx's clock, which stands still within a turn of a
    worker's event loop. `host_tag` is empty where no backend was left to be asked. `sent` is whether a connection was
    there, so that the request may have been sent, `failed` whether no answer came, `last` whether it was the request's
    last attempt.
    """
    log, notation = evidence.balancer, evidence.notation
    asked_any = log["upstream_addresses"].ne(notation.nothing)
    rows = by_attempt(log.loc[asked_any, COLUMNS], LISTS, notation).reset_index(names="row")
    seconds = pd.to_numeric(rows["upstream_response_s"], errors="coerce").fillna(0.0)
    after_s = seconds[::-1].groupby(rows["row"][::-1]).cumsum()[::-1]  # from its beginning to the request's end
    from_s = rows["ended_s"] - after_s
    addresses = pd.Series(rows["upstream_addresses"].unique(), dtype="str")
    asked = list(addresses[addresses.str.contains(notation.asked, regex=True)])
    tags = backends_at(evidence, took_one(log["upstream_addresses"], notation), asked)
    return pd.DataFrame(
        {
            "request_id": rows["request_id"],
            "host_tag": rows["upstream_addresses"].map(tags).fillna(""),
            "from_s": from_s,
            "until_s": from_s + seconds,
            "sent": rows["upstream_connect_s"] != notation.nothing,
            "failed": rows["upstream_statuses"].isin(notation.failed_statuses),
            "last": rows["last"],
            "worker": rows["worker"],
        }
    )


def most_at_once(attempts: pd.DataFrame, from_s: float, until_s: float) -> int:
    """How many of these were under way in the same `DYING_S` of this time, at most."""
    there = attempts[(attempts["from_s"] <= until_s) & (attempts["until_s"] >= from_s)]
    begin_s, end_s = there["from_s"].to_numpy(), there["until_s"].to_numpy()
    moments = np.maximum(end_s, from_s)  # the most are there when one is about to end
    return max((int(((begin_s <= at_s + DYING_S) & (end_s >= at_s)).sum()) for at_s in moments), default=0)
