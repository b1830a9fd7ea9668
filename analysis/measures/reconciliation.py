"""Joins the three ledgers: what the client, the balancer and the backends say about the same requests.

The rows of the client and of the balancer have request ids; a backend only counts. So a difference between rows names
its request ids, and a difference between counts is a number.
"""

from collections.abc import Iterator
from enum import StrEnum

import numpy as np
import pandas as pd

from analysis.evidence.balancer_log import took_several
from analysis.evidence.evidence import Evidence
from analysis.evidence.request_rows import counted
from analysis.measures.attempts import Attempts
from analysis.measures.generator import own_faults
from analysis.measures.matching import Matching
from scenarios.formats.rows import AFTER, BEFORE

UNNAMED = "(no name)"  # the backend of an answer without a tag
LOGGED = {
    "request_id": "request_id",
    "ended_s": "ended_s",
    "status": "status_logged",
    "host_tag": "tag_logged",
    "upstream_addresses": "upstream_addresses",
    "upstream_statuses": "upstream_statuses",
}
LOGGED_TEXTS = ("tag_logged", "upstream_addresses", "upstream_statuses")
DIFFERENCES = ["difference", "host_tag", "request_id", "count", "detail"]


class Difference(StrEnum):
    """The kinds of difference between the ledgers."""

    FOREIGN = "foreign traffic"
    UNRECORDED = "unrecorded"
    REPEATED = "logged twice"
    UNLOGGED = "unlogged"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    ALTERED = "altered"
    RETRIED = "retried"
    FAILED_ATTEMPT = "failed attempt"
    TWICE = "processed twice"
    LOST = "lost in flight"
    UNCOUNTED = "uncounted"
    UNASKED = "unasked"


def reconciliation(evidence: Evidence, matching: Matching, attempts: Attempts) -> pd.DataFrame:
    """A row per backend: right answers according to the client, to the balancer, and to the backend's own counter.

    `attempts` are the balancer's, successful or not. `processed` is not a number if the backend's count is not known.
    """
    client, log = evidence.responses, evidence.balancer
    right = evidence.manifest.target.expected_statuses
    each_once = np.concatenate([matching.balancer, matching.unsent])
    passed_on = log["host_tag"].iloc[each_once][log["status"].iloc[each_once].isin(right)]
    counts = {
        "client": counted(client["host_tag"][client["status"].isin(right)]).rename({"": UNNAMED}),
        "balancer": counted(passed_on).rename({evidence.notation.nothing: UNNAMED}),
        "attempts": attempts.counts,
    }
    tags = list(dict.fromkeys([*evidence.backends, *(tag for each in counts.values() for tag in each.index)]))
    frame = pd.DataFrame({name: each.reindex(tags, fill_value=0) for name, each in counts.items()}).astype("int64")
    return frame.assign(processed=_processed(evidence).reindex(tags)).rename_axis("host_tag")


def differences(
    evidence: Evidence, matching: Matching, attempts: Attempts, reconciliation: pd.DataFrame
) -> pd.DataFrame:
    """A row per request on which the ledgers disagree, or that went another way than it should.

    A difference between counts has no request id, and its `count` may be above 1.
    """
    both = _not_plain(evidence, matching)
    frames = [
        pd.DataFrame(
            {
                "difference": str(kind),
                "host_tag": both["host_tag"].where(both["status"] > 0, both["tag_logged"])[chosen].fillna(""),
                "request_id": both.loc[chosen, "request_id"],
                "count": 1,
                "detail": _detail(both[chosen]),
            }
        )
        for kind, chosen in _found(evidence, both, matching).items()
        if chosen.any()
    ]
    found = pd.DataFrame(_of_counts(evidence, matching, attempts, reconciliation), columns=DIFFERENCES)
    return pd.concat([*frames, found], ignore_index=True) if frames else found


def _found(evidence: Evidence, both: pd.DataFrame, matching: Matching) -> dict[Difference, pd.Series]:
    """By kind of difference, which of these requests show it."""
    sent, logged, answered = both["sent_us"].notna(), both["ended_s"].notna(), both["status"] > 0
    notation = evidence.notation
    own = own_faults(both["error"])
    left = sent & (own | (both["status_logged"] == notation.client_left))
    several = took_several(both["upstream_addresses"], notation).fillna(value=False)
    repeated = evidence.ids.texts(matching.logged_again)
    prefixes = both.loc[~sent, "request_id"].str.split("-").str[0]
    ours = prefixes.isin(set(evidence.generator["process"])).reindex(both.index, fill_value=False)
    passed_on = both["upstream_addresses"].ne(notation.nothing)  # or no backend was picked for it
    tag_logged = both["tag_logged"].replace(notation.nothing, "")
    altered = (both["status"] != both["status_logged"]) | (both["host_tag"] != tag_logged)
    failed = both["upstream_statuses"].isin(notation.failed_statuses) & passed_on
    return {
        Difference.FOREIGN: ~sent & ~ours & passed_on,
        Difference.UNRECORDED: ~sent & ours,
        Difference.REPEATED: both["request_id"].isin(repeated),
        Difference.UNLOGGED: sent & ~logged & answered,
        Difference.REFUSED: sent & ~logged & ~answered & ~left,
        Difference.ABANDONED: left,
        Difference.ALTERED: sent & logged & ~left & altered,
        Difference.RETRIED: sent & several,
        Difference.FAILED_ATTEMPT: sent & logged & ~left & ~several & failed,
    }


def _not_plain(evidence: Evidence, matching: Matching) -> pd.DataFrame:
    """A row with the data of both ledgers for each request on which they differ or that was not plain."""
    plain = _is_plain(evidence, matching)
    client_at = np.concatenate([matching.client[~plain], matching.unlogged])
    balancer_at = np.concatenate([matching.balancer[~plain], matching.unsent])
    client = evidence.responses[["request_id", "sent_us", "status", "host_tag", "error"]].iloc[client_at]
    log = evidence.balancer[list(LOGGED)].rename(columns=LOGGED).iloc[balancer_at]
    both = client.merge(log, on="request_id", how="outer")
    texts = {name: both[name].astype("str") for name in (*LOGGED_TEXTS, "host_tag", "error")}
    ids = pd.Series(evidence.ids.texts(both["request_id"]), index=both.index, dtype="str")
    return both.assign(request_id=ids, **texts)


def _is_plain(evidence: Evidence, matching: Matching) -> np.ndarray:
    """By match, whether both ledgers agree on a request that was answered at the first attempt."""
    client, log, notation = evidence.responses, evidence.balancer, evidence.notation
    rows, logged = matching.client, matching.balancer
    status = log["status"].to_numpy()[logged]
    known = pd.Index(client["host_tag"].cat.categories)
    tag_of = known.get_indexer(log["host_tag"].cat.categories.to_series().replace(notation.nothing, ""))
    odd = (
        took_several(log["upstream_addresses"], notation)
        | log["upstream_statuses"].isin(notation.failed_statuses)
        | log["request_id"].isin(matching.logged_again)
    )
    return np.asarray(
        (client["status"].to_numpy()[rows] == status)
        & (status > 0)
        & (status != notation.client_left)
        & (client["host_tag"].cat.codes.to_numpy()[rows] == tag_of[log["host_tag"].cat.codes][logged])
        & ~own_faults(client["error"]).to_numpy()[rows]
        & ~odd.to_numpy(dtype=bool)[logged]
    )


def _detail(rows: pd.DataFrame) -> pd.Series:
    """What both ledgers say about each request, as text."""
    client = np.where(rows["sent_us"].isna(), "no row", rows["status"].fillna(0).astype(int).astype(str))
    reason = rows["error"].fillna("")
    client = np.where(reason != "", client + " (" + reason + ")", client)
    balancer = np.where(
        rows["ended_s"].isna(),
        "no row",
        rows["status_logged"].fillna(0).astype(int).astype(str)
        + " from "
        + rows["upstream_addresses"].fillna("-")
        + " with "
        + rows["upstream_statuses"].fillna("-"),
    )
    return pd.Series("client: " + client + "; balancer: " + balancer, index=rows.index)


def _processed(evidence: Evidence) -> pd.Series:
    """By backend, the number of right answers that it counted during the run; not a number if not known."""
    by_moment = {moment: rows.set_index("service") for moment, rows in evidence.processed.groupby("moment", sort=False)}
    if by_moment.keys() != {BEFORE, AFTER}:
        return pd.Series(dtype="float64")
    before, after = by_moment[BEFORE], by_moment[AFTER]
    grown = after["created"] - before["created"]
    return grown.where(after["started_us"] == before["started_us"].reindex(after.index))


def _of_counts(
    evidence: Evidence, matching: Matching, attempts: Attempts, reconciliation: pd.DataFrame
) -> Iterator[tuple[str, str, str, int, str]]:
    """The differences between a backend's counter and the answers that the balancer had from it.

    A surplus in the counter can come from attempts that the balancer may have sent and that got no good answer. The
    rows give the ids of those attempts.
    """
    right, left = evidence.manifest.target.expected_statuses, evidence.notation.client_left
    unsent = evidence.balancer["request_id"].iloc[matching.unsent]
    failed = attempts.failed[attempts.failed["sent"] & ~attempts.failed["request_id"].isin(unsent)]
    for tag, row in reconciliation[reconciliation["processed"].notna()].iterrows():
        surplus = int(row["processed"] - row["balancer"])
        if surplus < 0:
            yield Difference.UNCOUNTED, str(tag), "", -surplus, "answered, and not counted"
            continue
        unanswered = failed[failed["host_tag"] == tag]
        given_up = unanswered["status"] == left  # has a difference of its own, processed or not
        is_right = unanswered["status"].isin(right)
        answered_by_another = unanswered[~unanswered["last"] & is_right]
        unanswered = unanswered[~is_right & ~given_up]
        for kind, candidates in ((Difference.TWICE, answered_by_another), (Difference.LOST, unanswered)):
            explained = candidates["request_id"].drop_duplicates().head(surplus)
            for request_id in evidence.ids.texts(explained):
                yield kind, str(tag), request_id, 1, f"one of {len(candidates):,} that may have been"
            surplus -= len(explained)
        surplus -= min(surplus, int(given_up.sum()))
        if surplus:
            yield Difference.UNASKED, str(tag), "", surplus, "counted, and not asked for through the balancer"
