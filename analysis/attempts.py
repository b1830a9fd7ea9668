"""What the balancer tried: an attempt for each backend that it asked for a request, whether or not an answer came."""

from dataclasses import dataclass

import pandas as pd

from analysis.evidence import Evidence
from analysis.request_ledgers import counted

FAILED = ("502", "504", "-")  # what nginx notes of an attempt that brought no answer
UNTRIED = "-"  # what it notes of a time that did not come
LISTS = ["upstream_addr", "upstream_status", "upstream_connect_time"]
COLUMNS = ["balanced_request_id", "status", *LISTS]


@dataclass(frozen=True)
class Attempts:
    """`counts`: how many, by backend. `failed`: a row for each that brought no answer.

    Of these, the number of the request id, the request's final status, the backend, whether it was the `last`, and
    whether there was a connection, so that the request may have been `sent`.
    Which backend has an address is learnt from the answers that came from it; where one address and one backend are
    left over, they belong together.
    """

    counts: pd.Series
    failed: pd.DataFrame

    @classmethod
    def of(cls, evidence: Evidence) -> "Attempts":
        """Read them from the balancer's log."""
        log = evidence.balancer
        addresses = log["upstream_addr"]
        several = addresses.str.contains(",", regex=False)
        single = addresses.str.contains(":", regex=False) & ~several
        of_several = _one_by_one(log.loc[several, COLUMNS])
        tried = pd.concat([counted(addresses[single]), counted(of_several["upstream_addr"])]).groupby(level=0).sum()
        backends = backends_at(evidence, single, list(tried.index))
        failed = pd.concat(
            [
                log.loc[single & log["upstream_status"].isin(FAILED), COLUMNS].assign(last=True).astype("object"),
                of_several[of_several["upstream_status"].isin(FAILED)],
            ]
        ).astype({"balanced_request_id": "int64"})
        return cls(
            counts=tried.groupby(backends).sum(),
            failed=failed.rename(columns={"balanced_request_id": "request_id"}).assign(
                host_tag=failed["upstream_addr"].map(backends), sent=failed["upstream_connect_time"] != UNTRIED
            ),
        )


def _one_by_one(log: pd.DataFrame) -> pd.DataFrame:
    """A row per attempt of requests that took several."""
    split = log.assign(**{column: log[column].astype("object").str.split(", ") for column in LISTS})
    lengths = split[LISTS].map(len)
    rows = split[lengths.eq(lengths["upstream_addr"], axis=0).all(axis=1)].explode(LISTS)
    return rows.assign(last=~rows.index.duplicated(keep="last"))


def backends_at(evidence: Evidence, single: pd.Series, addresses: list[str]) -> dict[str, str]:
    """The backend at each of these addresses; the address itself where it cannot be told."""
    log = evidence.balancer.loc[single, ["upstream_addr", "upstream_http_x_host_tag"]]
    signed = log[log["upstream_http_x_host_tag"] != "-"].drop_duplicates("upstream_addr", keep="last")
    known = dict(zip(signed["upstream_addr"], signed["upstream_http_x_host_tag"], strict=True))
    silent = [address for address in addresses if address not in known]
    missing = [tag for tag in evidence.manifest.claim.weights if tag not in known.values()]
    if len(silent) == len(missing) == 1:
        known[silent[0]] = missing[0]
    return {address: address for address in silent} | known
