"""Joins the three ledgers: what the client, the balancer and the backends say about the same requests.

The rows of the client and of the balancer have request ids; a backend only counts. So a difference between rows names
its request ids, and a difference between counts is a number.
"""

from collections.abc import Iterator
from enum import StrEnum

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.evidence.request_rows import counted
from analysis.measures.attempts import FAILED, Attempts
from analysis.measures.generator import own_faults
from analysis.measures.matching import Matching
from scenarios.formats.rows import AFTER, BEFORE
from scenarios.spec.target import CREATED

UNNAMED = "(no name)"  # the backend of an answer without a tag
CLOSED_BY_CLIENT = 499  # nginx's own status for a client that has left
LOGGED = {
    "balanced_request_id": "request_id",
    "msec": "msec",
    "status": "status_logged",
    "upstream_http_x_host_tag": "tag_logged",
    "upstream_addr": "upstream_addr",
    "upstream_status": "upstream_status",
}
LOGGED_TEXTS = ("tag_logged", "upstream_addr", "upstream_status")
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
    """A row per backend: models created according to the client, to the balancer, and to the backend's own counter.

    `attempts` are the balancer's, successful or not. `processed` is not a number if the backend's count is not known.
    """
    client, log = evidence.responses, evidence.balancer
    each_once = np.concatenate([matching.balancer, matching.unsent])
    passed_on = log["upstream_http_x_host_tag"].iloc[each_once][log["status"].iloc[each_once] == CREATED]
    counts = {
        "client": counted(client["host_tag"][client["status"] == CREATED]).rename({"": UNNAMED}),
        "balancer": counted(passed_on).rename({"-": UNNAMED}),
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
    sent, logged, answered = both["sent_us"].notna(), both["msec"].notna(), both["status"] > 0
    own = own_faults(both["error"])
    left = sent & (own | (both["status_logged"] == CLOSED_BY_CLIENT))
    several = both["upstream_addr"].str.contains(",", regex=False, na=False)
    repeated = evidence.ids.texts(matching.logged_again)
    prefixes = both.loc[~sent, "request_id"].str.split("-").str[0]
    ours = prefixes.isin(set(evidence.generator["process"])).reindex(both.index, fill_value=False)
    passed_on = both["upstream_addr"].ne("-")  # or no backend was picked for it
    altered = (both["status"] != both["status_logged"]) | (both["host_tag"] != both["tag_logged"].replace("-", ""))
    failed = both["upstream_status"].isin(FAILED) & passed_on
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
    client, log = evidence.responses, evidence.balancer
    rows, logged = matching.client, matching.balancer
    status = log["status"].to_numpy()[logged]
    known = pd.Index(client["host_tag"].cat.categories)
    tag_of = known.get_indexer(log["upstream_http_x_host_tag"].cat.categories.to_series().replace("-", ""))
    odd = (
        log["upstream_addr"].str.contains(",", regex=False)
        | log["upstream_status"].isin(FAILED)
        | log["balanced_request_id"].isin(matching.logged_again)
    )
    return np.asarray(
        (client["status"].to_numpy()[rows] == status)
        & (status > 0)
        & (status != CLOSED_BY_CLIENT)
        & (client["host_tag"].cat.codes.to_numpy()[rows] == tag_of[log["upstream_http_x_host_tag"].cat.codes][logged])
        & ~own_faults(client["error"]).to_numpy()[rows]
        & ~odd.to_numpy(dtype=bool)[logged]
    )


def _detail(rows: pd.DataFrame) -> pd.Series:
    """What both ledgers say about each request, as text."""
    client = np.where(rows["sent_us"].isna(), "no row", rows["status"].fillna(0).astype(int).astype(str))
    reason = rows["error"].fillna("")
    client = np.where(reason != "", client + " (" + reason + ")", client)
    balancer = np.where(
        rows["msec"].isna(),
        "no row",
        rows["status_logged"].fillna(0).astype(int).astype(str)
        + " from "
        + rows["upstream_addr"].fillna("-")
        + " with "
        + rows["upstream_status"].fillna("-"),
    )
    return pd.Series("client: " + client + "; balancer: " + balancer, index=rows.index)


def _processed(evidence: Evidence) -> pd.Series:
    """By backend, the number of models that it created during the run; not a number if not known."""
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
    unsent = evidence.balancer["balanced_request_id"].iloc[matching.unsent]
    failed = attempts.failed[attempts.failed["sent"] & ~attempts.failed["request_id"].isin(unsent)]
    for tag, row in reconciliation[reconciliation["processed"].notna()].iterrows():
        surplus = int(row["processed"] - row["balancer"])
        if surplus < 0:
            yield Difference.UNCOUNTED, str(tag), "", -surplus, "answered, and not counted"
            continue
        unanswered = failed[failed["host_tag"] == tag]
        given_up = unanswered["status"] == CLOSED_BY_CLIENT  # has a difference of its own, processed or not
        answered_by_another = unanswered[~unanswered["last"] & (unanswered["status"] == CREATED)]
        unanswered = unanswered[(unanswered["status"] != CREATED) & ~given_up]
        for kind, candidates in ((Difference.TWICE, answered_by_another), (Difference.LOST, unanswered)):
            explained = candidates["request_id"].drop_duplicates().head(surplus)
            for request_id in evidence.ids.texts(explained):
                yield kind, str(tag), request_id, 1, f"one of {len(candidates):,} that may have been"
            surplus -= len(explained)
        surplus -= min(surplus, int(given_up.sum()))
        if surplus:
            yield Difference.UNASKED, str(tag), "", surplus, "counted, and not asked for through the balancer"
