"""Matches the rows of the client's ledger with those of the balancer's by request."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from scenarios.formats.columns import Column


@dataclass(frozen=True)
class Matching:
    """Positions of rows in both ledgers, and repeated ids.

    `client` and `balancer` have the same length; the positions at one index belong to the same request. `unlogged` are
    positions in the client's ledger without a row in the balancer's, `unsent` the reverse. Of the rows of one ledger
    with the same id, only the last is matched: `sent_again` counts the client's other rows, `logged_again` holds the
    ids (numbers) of the balancer's.
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
        sent, sent_at, sent_again = _last_of_each(evidence.responses[Column.REQUEST_ID])
        logged, logged_at, logged_again = _last_of_each(evidence.balancer[Column.REQUEST_ID])
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
    """The sorted numbers without repetition, the positions of their last rows, and one entry per repetition."""
    values = numbers.to_numpy()
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    last = np.append(ordered[1:] != ordered[:-1], True) if len(ordered) else np.zeros(0, dtype=bool)
    return ordered[last], order[last].astype("int32"), ordered[~last]
