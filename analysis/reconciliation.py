"""Three ledgers, joined: what the client, the balancer and the backends each say of the same requests.

The client's rows and the balancer's have request ids; a backend only counts. So a difference that shows in the ids has
its ids, and one that shows in a count alone has a number.
"""

from collections.abc import Iterator
from enum import StrEnum

import numpy as np
import pandas as pd

from analysis.evidence import Evidence
from scenarios.ledgers import AFTER, BEFORE, OWN_FAULT
from scenarios.model import CREATED

NOBODY = "(nobody)"  # who answered where an answer has no tag, or there was none
CLOSED_BY_CLIENT = 499  # nginx's own status for a client that has left
FAILED = ("502", "504", "-")  # what nginx notes of an attempt that brought no answer
DIFFERENCES = ["difference", "host_tag", "request_id", "count", "detail"]


class Difference(StrEnum):
    """What can be between the ledgers."""

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


def reconciliation(evidence: Evidence) -> pd.DataFrame:
    """A row per backend: models that the client saw created, that the balancer passed on, and that it counted itself.

    `attempts` are the balancer's, successful or not. `processed` is not a number where the backend did not say.
    """
    client = evidence.responses.loc[evidence.responses["status"] == CREATED, "host_tag"]
    log = attempts(evidence)
    each_once = evidence.balancer.drop_duplicates("balanced_request_id", keep="last")
    balancer = each_once.loc[each_once["status"] == CREATED, "upstream_http_x_host_tag"]
    counts = {
        "client": client.replace("", NOBODY).value_counts(),
        "balancer": balancer.replace("-", NOBODY).value_counts(),
        "attempts": log["host_tag"].value_counts(),
    }
    tags = list(dict.fromkeys([*evidence.backends, *(tag for each in counts.values() for tag in each.index)]))
    frame = pd.DataFrame({name: each.reindex(tags, fill_value=0) for name, each in counts.items()}).astype("int64")
    return frame.assign(processed=_processed(evidence).reindex(tags)).rename_axis("host_tag")


def differences(evidence: Evidence, reconciliation: pd.DataFrame) -> pd.DataFrame:
    """A row per request that the ledgers do not agree on, or that went another way than it should; none is best.

    A difference of counts alone has no request id, and a `count` that may be above 1.
    """
    both = _joined(evidence)
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
        for kind, chosen in _found(evidence, both).items()
        if chosen.any()
    ]
    counted = pd.DataFrame(_of_counts(evidence, reconciliation), columns=DIFFERENCES)
    return pd.concat([*frames, counted], ignore_index=True) if frames else counted


def _found(evidence: Evidence, both: pd.DataFrame) -> dict[Difference, pd.Series]:
    """Which requests of both ledgers show which difference."""
    sent, logged, answered = both["sent_us"].notna(), both["msec"].notna(), both["status"] > 0
    own = both["error"].str.startswith(OWN_FAULT, na=False)
    left = sent & (own | (both["status_logged"] == CLOSED_BY_CLIENT))
    several = both["upstream_addr"].str.contains(",", regex=False, na=False)
    repeated = evidence.balancer["balanced_request_id"].value_counts()
    prefixes = both.loc[~sent, "request_id"].str.split("-").str[0]
    ours = prefixes.isin(set(evidence.pulses["process"])).reindex(both.index, fill_value=False)
    passed_on = both["upstream_addr"].ne("-")  # or nobody was picked for it
    altered = (both["status"] != both["status_logged"]) | (both["host_tag"] != both["tag_logged"].replace("-", ""))
    failed = both["upstream_status"].isin(FAILED) & passed_on
    return {
        Difference.FOREIGN: ~sent & ~ours & passed_on,
        Difference.UNRECORDED: ~sent & ours,
        Difference.REPEATED: both["request_id"].isin(repeated.index[repeated > 1]),
        Difference.UNLOGGED: sent & ~logged & answered,
        Difference.REFUSED: sent & ~logged & ~answered & ~left,
        Difference.ABANDONED: left,
        Difference.ALTERED: sent & logged & ~left & altered,
        Difference.RETRIED: sent & several,
        Difference.FAILED_ATTEMPT: sent & logged & ~left & ~several & failed,
    }


def _joined(evidence: Evidence) -> pd.DataFrame:
    log = evidence.balancer.rename(
        columns={
            "balanced_request_id": "request_id",
            "status": "status_logged",
            "upstream_http_x_host_tag": "tag_logged",
        }
    )
    columns = ["request_id", "msec", "status_logged", "tag_logged", "upstream_addr", "upstream_status"]
    client = evidence.responses[["request_id", "sent_us", "status", "host_tag", "error"]]
    return client.drop_duplicates("request_id", keep="last").merge(
        log[columns].drop_duplicates("request_id", keep="last"), on="request_id", how="outer"
    )


def _detail(rows: pd.DataFrame) -> pd.Series:
    """What both sides say of each request."""
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


def attempts(evidence: Evidence) -> pd.DataFrame:
    """A row per attempt of the balancer: request id, its final status, the attempt's own, the backend, last or not.

    Which backend has an address is learnt from the answers that came from it; where one address and one backend are
    left over, they belong together.
    """
    log = evidence.balancer[evidence.balancer["upstream_addr"].str.contains(":", regex=False)]
    columns = log[["balanced_request_id", "status", "upstream_addr", "upstream_status"]]
    several = log["upstream_addr"].str.contains(",", regex=False)
    split = columns[several].assign(
        upstream_addr=columns.loc[several, "upstream_addr"].str.split(", "),
        upstream_status=columns.loc[several, "upstream_status"].str.split(", "),
    )
    equal = split["upstream_addr"].str.len() == split["upstream_status"].str.len()
    rows = pd.concat([columns[~several], split[equal].explode(["upstream_addr", "upstream_status"])])
    return rows.rename(columns={"balanced_request_id": "request_id"}).assign(
        host_tag=rows["upstream_addr"].map(_backends_at(evidence, log[~several], rows["upstream_addr"])),
        last=~rows.index.duplicated(keep="last"),
    )


def _backends_at(evidence: Evidence, single: pd.DataFrame, addresses: pd.Series) -> dict[str, str]:
    """The backend at each of these addresses; the address itself where it cannot be told."""
    signed = single[single["upstream_http_x_host_tag"] != "-"].drop_duplicates("upstream_addr", keep="last")
    known = dict(zip(signed["upstream_addr"], signed["upstream_http_x_host_tag"], strict=True))
    silent = [address for address in addresses.unique() if address not in known]
    missing = [tag for tag in evidence.manifest.claim.weights if tag not in known.values()]
    if len(silent) == len(missing) == 1:
        known[silent[0]] = missing[0]
    return {address: address for address in silent} | known


def _processed(evidence: Evidence) -> pd.Series:
    """By backend, how many models it created during the run; not a number where that is not known."""
    by_moment = {moment: rows.set_index("service") for moment, rows in evidence.processed.groupby("moment", sort=False)}
    if by_moment.keys() != {BEFORE, AFTER}:
        return pd.Series(dtype="float64")
    before, after = by_moment[BEFORE], by_moment[AFTER]
    grown = after["created"] - before["created"]
    return grown.where(after["started_us"] == before["started_us"].reindex(after.index))


def _of_counts(evidence: Evidence, reconciliation: pd.DataFrame) -> Iterator[tuple[str, str, str, int, str]]:
    """The differences between what a backend processed and what the balancer had from it.

    What is too much can be explained by attempts of which no good answer came: the ids of those are given.
    """
    tried = attempts(evidence)
    tried = tried[tried["request_id"].isin(evidence.responses["request_id"])]
    for tag, row in reconciliation[reconciliation["processed"].notna()].iterrows():
        surplus = int(row["processed"] - row["balancer"])
        if surplus < 0:
            yield Difference.UNCOUNTED, str(tag), "", -surplus, "answered, and not counted"
            continue
        unanswered = tried[(tried["host_tag"] == tag) & tried["upstream_status"].isin(FAILED)]
        given_up = unanswered["status"] == CLOSED_BY_CLIENT  # has a difference of its own, processed or not
        answered_by_another = unanswered[~unanswered["last"] & (unanswered["status"] == CREATED)]
        unanswered = unanswered[(unanswered["status"] != CREATED) & ~given_up]
        for kind, candidates in ((Difference.TWICE, answered_by_another), (Difference.LOST, unanswered)):
            explained = candidates["request_id"].drop_duplicates().head(surplus)
            for request_id in explained:
                yield kind, str(tag), request_id, 1, f"one of {len(candidates):,} that may have been"
            surplus -= len(explained)
        surplus -= min(surplus, int(given_up.sum()))
        if surplus:
            yield Difference.UNASKED, str(tag), "", surplus, "counted, and not asked for through the balancer"
