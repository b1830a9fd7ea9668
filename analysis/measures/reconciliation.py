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
from scenarios.formats.columns import Column
from scenarios.formats.rows import AFTER, BEFORE

UNNAMED = "(no name)"  # the backend of an answer without a tag
LOGGED = {
    Column.REQUEST_ID: Column.REQUEST_ID,
    Column.ENDED_S: Column.ENDED_S,
    Column.STATUS: Column.STATUS_LOGGED,
    Column.HOST_TAG: Column.TAG_LOGGED,
    Column.UPSTREAM_ADDRESSES: Column.UPSTREAM_ADDRESSES,
    Column.UPSTREAM_STATUSES: Column.UPSTREAM_STATUSES,
}
LOGGED_TEXTS = (Column.TAG_LOGGED, Column.UPSTREAM_ADDRESSES, Column.UPSTREAM_STATUSES)
DIFFERENCES = [Column.DIFFERENCE, Column.HOST_TAG, Column.REQUEST_ID, Column.COUNT, Column.DETAIL]


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
    passed_on = log[Column.HOST_TAG].iloc[each_once][log[Column.STATUS].iloc[each_once].isin(right)]
    counts = {
        Column.CLIENT: counted(client[Column.HOST_TAG][client[Column.STATUS].isin(right)]).rename({"": UNNAMED}),
        Column.BALANCER: counted(passed_on).rename({evidence.notation.nothing: UNNAMED}),
        Column.ATTEMPTS: attempts.counts,
    }
    tags = list(dict.fromkeys([*evidence.backends, *(tag for each in counts.values() for tag in each.index)]))
    frame = pd.DataFrame({name: each.reindex(tags, fill_value=0) for name, each in counts.items()}).astype("int64")
    return frame.assign(**{Column.PROCESSED: _processed(evidence).reindex(tags)}).rename_axis(Column.HOST_TAG)


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
                Column.DIFFERENCE: str(kind),
                Column.HOST_TAG: both[Column.HOST_TAG]
                .where(both[Column.STATUS] > 0, both[Column.TAG_LOGGED])[chosen]
                .fillna(""),
                Column.REQUEST_ID: both.loc[chosen, Column.REQUEST_ID],
                Column.COUNT: 1,
                Column.DETAIL: _detail(both[chosen]),
            }
        )
        for kind, chosen in _found(evidence, both, matching).items()
        if chosen.any()
    ]
    found = pd.DataFrame(_of_counts(evidence, matching, attempts, reconciliation), columns=DIFFERENCES)
    return pd.concat([*frames, found], ignore_index=True) if frames else found


def _found(evidence: Evidence, both: pd.DataFrame, matching: Matching) -> dict[Difference, pd.Series]:
    """By kind of difference, which of these requests show it."""
    sent, logged, answered = both[Column.SENT_US].notna(), both[Column.ENDED_S].notna(), both[Column.STATUS] > 0
    notation = evidence.notation
    own = own_faults(both[Column.ERROR])
    left = sent & (own | (both[Column.STATUS_LOGGED] == notation.client_left))
    several = took_several(both[Column.UPSTREAM_ADDRESSES], notation).fillna(value=False)
    repeated = evidence.ids.texts(matching.logged_again)
    prefixes = both.loc[~sent, Column.REQUEST_ID].str.split("-").str[0]
    ours = prefixes.isin(set(evidence.generator[Column.PROCESS])).reindex(both.index, fill_value=False)
    passed_on = both[Column.UPSTREAM_ADDRESSES].ne(notation.nothing)  # or no backend was picked for it
    tag_logged = both[Column.TAG_LOGGED].replace(notation.nothing, "")
    altered = (both[Column.STATUS] != both[Column.STATUS_LOGGED]) | (both[Column.HOST_TAG] != tag_logged)
    failed = both[Column.UPSTREAM_STATUSES].isin(notation.failed_statuses) & passed_on
    return {
        Difference.FOREIGN: ~sent & ~ours & passed_on,
        Difference.UNRECORDED: ~sent & ours,
        Difference.REPEATED: both[Column.REQUEST_ID].isin(repeated),
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
    client = evidence.responses[[Column.REQUEST_ID, Column.SENT_US, Column.STATUS, Column.HOST_TAG, Column.ERROR]].iloc[
        client_at
    ]
    log = evidence.balancer[list(LOGGED)].rename(columns=LOGGED).iloc[balancer_at]
    both = client.merge(log, on=Column.REQUEST_ID, how="outer")
    texts = {name: both[name].astype("str") for name in (*LOGGED_TEXTS, Column.HOST_TAG, Column.ERROR)}
    ids = pd.Series(evidence.ids.texts(both[Column.REQUEST_ID]), index=both.index, dtype="str")
    return both.assign(**{Column.REQUEST_ID: ids}, **texts)


def _is_plain(evidence: Evidence, matching: Matching) -> np.ndarray:
    """By match, whether both ledgers agree on a request that was answered at the first attempt."""
    client, log, notation = evidence.responses, evidence.balancer, evidence.notation
    rows, logged = matching.client, matching.balancer
    status = log[Column.STATUS].to_numpy()[logged]
    known = pd.Index(client[Column.HOST_TAG].cat.categories)
    tag_of = known.get_indexer(log[Column.HOST_TAG].cat.categories.to_series().replace(notation.nothing, ""))
    odd = (
        took_several(log[Column.UPSTREAM_ADDRESSES], notation)
        | log[Column.UPSTREAM_STATUSES].isin(notation.failed_statuses)
        | log[Column.REQUEST_ID].isin(matching.logged_again)
    )
    return np.asarray(
        (client[Column.STATUS].to_numpy()[rows] == status)
        & (status > 0)
        & (status != notation.client_left)
        & (client[Column.HOST_TAG].cat.codes.to_numpy()[rows] == tag_of[log[Column.HOST_TAG].cat.codes][logged])
        & ~own_faults(client[Column.ERROR]).to_numpy()[rows]
        & ~odd.to_numpy(dtype=bool)[logged]
    )


def _detail(rows: pd.DataFrame) -> pd.Series:
    """What both ledgers say about each request, as text."""
    client = np.where(rows[Column.SENT_US].isna(), "no row", rows[Column.STATUS].fillna(0).astype(int).astype(str))
    reason = rows[Column.ERROR].fillna("")
    client = np.where(reason != "", client + " (" + reason + ")", client)
    balancer = np.where(
        rows[Column.ENDED_S].isna(),
        "no row",
        rows[Column.STATUS_LOGGED].fillna(0).astype(int).astype(str)
        + " from "
        + rows[Column.UPSTREAM_ADDRESSES].fillna("-")
        + " with "
        + rows[Column.UPSTREAM_STATUSES].fillna("-"),
    )
    return pd.Series("client: " + client + "; balancer: " + balancer, index=rows.index)


def _processed(evidence: Evidence) -> pd.Series:
    """By backend, the number of right answers that it counted during the run; not a number if not known."""
    by_moment = {
        moment: rows.set_index(Column.SERVICE) for moment, rows in evidence.processed.groupby(Column.MOMENT, sort=False)
    }
    if by_moment.keys() != {BEFORE, AFTER}:
        return pd.Series(dtype="float64")
    before, after = by_moment[BEFORE], by_moment[AFTER]
    grown = after[Column.CREATED] - before[Column.CREATED]
    return grown.where(after[Column.STARTED_US] == before[Column.STARTED_US].reindex(after.index))


def _of_counts(
    evidence: Evidence, matching: Matching, attempts: Attempts, reconciliation: pd.DataFrame
) -> Iterator[tuple[str, str, str, int, str]]:
    """The differences between a backend's counter and the answers that the balancer had from it.

    A surplus in the counter can come from attempts that the balancer may have sent and that got no good answer. The
    rows give the ids of those attempts.
    """
    right, left = evidence.manifest.target.expected_statuses, evidence.notation.client_left
    unsent = evidence.balancer[Column.REQUEST_ID].iloc[matching.unsent]
    failed = attempts.failed[attempts.failed[Column.SENT] & ~attempts.failed[Column.REQUEST_ID].isin(unsent)]
    for tag, row in reconciliation[reconciliation[Column.PROCESSED].notna()].iterrows():
        surplus = int(row[Column.PROCESSED] - row[Column.BALANCER])
        if surplus < 0:
            yield Difference.UNCOUNTED, str(tag), "", -surplus, "answered, and not counted"
            continue
        unanswered = failed[failed[Column.HOST_TAG] == tag]
        given_up = unanswered[Column.STATUS] == left  # has a difference of its own, processed or not
        is_right = unanswered[Column.STATUS].isin(right)
        answered_by_another = unanswered[~unanswered[Column.LAST] & is_right]
        unanswered = unanswered[~is_right & ~given_up]
        for kind, candidates in ((Difference.TWICE, answered_by_another), (Difference.LOST, unanswered)):
            explained = candidates[Column.REQUEST_ID].drop_duplicates().head(surplus)
            for request_id in evidence.ids.texts(explained):
                yield kind, str(tag), request_id, 1, f"one of {len(candidates):,} that may have been"
            surplus -= len(explained)
        surplus -= min(surplus, int(given_up.sum()))
        if surplus:
            yield Difference.UNASKED, str(tag), "", surplus, "counted, and not asked for through the balancer"
