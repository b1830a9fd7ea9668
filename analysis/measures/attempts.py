"""The balancer's attempts: one for each backend that it tried for a request, whether or not an answer came."""

from dataclasses import dataclass

import pandas as pd

from analysis.evidence.balancer_log import by_attempt, took_one, took_several
from analysis.evidence.evidence import Evidence
from analysis.evidence.request_rows import counted
from scenarios.formats.columns import Column

LISTS = [Column.UPSTREAM_ADDRESSES, Column.UPSTREAM_STATUSES, Column.UPSTREAM_CONNECT_S]
COLUMNS = [Column.REQUEST_ID, Column.STATUS, *LISTS]


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
        log, notation = evidence.balancer, evidence.notation
        addresses = log[Column.UPSTREAM_ADDRESSES]
        single = took_one(addresses, notation)
        of_several = by_attempt(log.loc[took_several(addresses, notation), COLUMNS], LISTS, notation)
        tried = (
            pd.concat([counted(addresses[single]), counted(of_several[Column.UPSTREAM_ADDRESSES])])
            .groupby(level=0)
            .sum()
        )
        backends = backends_at(evidence, single, list(tried.index))
        failed = pd.concat(
            [
                rows[rows[Column.UPSTREAM_STATUSES].isin(notation.failed_statuses)]
                for rows in (log.loc[single, COLUMNS].assign(**{Column.LAST: True}).astype("object"), of_several)
            ]
        ).astype({Column.REQUEST_ID: "int64"})
        failed[Column.HOST_TAG] = failed[Column.UPSTREAM_ADDRESSES].map(backends)
        failed[Column.SENT] = failed[Column.UPSTREAM_CONNECT_S] != notation.nothing
        return cls(counts=tried.groupby(backends).sum(), failed=failed)


def backends_at(evidence: Evidence, single: pd.Series, addresses: list[str]) -> dict[str, str]:
    """The backend at each of these addresses, or the address itself if its backend is not known."""
    log = evidence.balancer.loc[single, [Column.UPSTREAM_ADDRESSES, Column.HOST_TAG]]
    signed = log[log[Column.HOST_TAG] != evidence.notation.nothing].drop_duplicates(
        Column.UPSTREAM_ADDRESSES, keep="last"
    )
    known = dict(zip(signed[Column.UPSTREAM_ADDRESSES], signed[Column.HOST_TAG], strict=True))
    silent = [address for address in addresses if address not in known]
    missing = [tag for tag in evidence.manifest.claim.weights if tag not in known.values()]
    if len(silent) == len(missing) == 1:
        known[silent[0]] = missing[0]
    return {address: address for address in silent} | known
