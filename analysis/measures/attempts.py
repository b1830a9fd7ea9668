"""The balancer's attempts: one for each backend that it tried for a request, whether or not an answer came."""

from dataclasses import dataclass

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.evidence.request_rows import counted

FAILED = ("502", "504", "-")  # nginx's status of an attempt without an answer
UNTRIED = "-"  # nginx's time of a step that it did not reach
LISTS = ["upstream_addr", "upstream_status", "upstream_connect_time"]
COLUMNS = ["balanced_request_id", "status", *LISTS]


@dataclass(frozen=True)
class Attempts:
    """`counts` is the number of attempts by backend. `failed` has a row per attempt without an answer.

    Its columns are the number of the request id, the request's final status, the backend, whether the attempt was the
    `last`, and whether a connection was made, so that the balancer may have `sent` the request.
    The answers from an address show which backend it belongs to. If one address and one backend are left over, they
    belong together.
    """

    counts: pd.Series
    failed: pd.DataFrame

    @classmethod
    def of(cls, evidence: Evidence) -> "Attempts":
        """Read the attempts from the balancer's log."""
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
    """A row per attempt of the requests that took several."""
    split = log.assign(**{column: log[column].astype("object").str.split(", ") for column in LISTS})
    lengths = split[LISTS].map(len)
    rows = split[lengths.eq(lengths["upstream_addr"], axis=0).all(axis=1)].explode(LISTS)
    return rows.assign(last=~rows.index.duplicated(keep="last"))


def backends_at(evidence: Evidence, single: pd.Series, addresses: list[str]) -> dict[str, str]:
    """The backend at each of these addresses, or the address itself if its backend is not known."""
    log = evidence.balancer.loc[single, ["upstream_addr", "upstream_http_x_host_tag"]]
    signed = log[log["upstream_http_x_host_tag"] != "-"].drop_duplicates("upstream_addr", keep="last")
    known = dict(zip(signed["upstream_addr"], signed["upstream_http_x_host_tag"], strict=True))
    silent = [address for address in addresses if address not in known]
    missing = [tag for tag in evidence.manifest.claim.weights if tag not in known.values()]
    if len(silent) == len(missing) == 1:
        known[silent[0]] = missing[0]
    return {address: address for address in silent} | known
