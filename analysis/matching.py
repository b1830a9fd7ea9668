"""Which row of the client's ledger and which of the balancer's are of the same request."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.evidence import Evidence


@dataclass(frozen=True)
class Matching:
    """Positions in both ledgers, and which ids came again.

    `client` and `balancer` are as long as each other: what stands at the same place is of the same request. `unlogged`
    are positions in the client's ledger that the balancer has nothing of, `unsent` the other way round. Of rows with
    the same id in one ledger only the last is there; `sent_again` counts the others of the client, and `logged_again`
    are the numbers of the balancer's.
    """

    client: np.ndarray
    balancer: np.ndarray
    unlogged: np.ndarray
    unsent: np.ndarray
    sent_again: int
    logged_again: np.ndarray

    @classmethod
    def of(cls, evidence: Evidence) -> "Matching":
        """Match the rows by request id."""
        sent, sent_at, sent_again = _last_of_each(evidence.responses["request_id"])
        logged, logged_at, logged_again = _last_of_each(evidence.balancer["balanced_request_id"])
        place = np.searchsorted(logged, sent)
        place[place == len(logged)] = 0
        both = logged[place] == sent if len(logged) else np.zeros(len(sent), dtype=bool)
        lonely = np.ones(len(logged), dtype=bool)
        lonely[place[both]] = False
        return cls(
            client=sent_at[both],
            balancer=logged_at[place[both]],
            unlogged=sent_at[~both],
            unsent=logged_at[lonely],
            sent_again=len(sent_again),
            logged_again=logged_again,
        )


def _last_of_each(numbers: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The numbers in order, each once, with the position of its last row; and those that came again, once for each."""
    values = numbers.to_numpy()
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    last = np.append(ordered[1:] != ordered[:-1], True) if len(ordered) else np.zeros(0, dtype=bool)
    return ordered[last], order[last].astype("int32"), ordered[~last]
