"""The distribution of answers over the backends, and percentiles: the value at a rank, without interpolation."""

from typing import Any

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.evidence.request_rows import counted
from scenarios.formats.columns import Column
from scenarios.spec.claim import Claim
from scenarios.spec.round_robin.cycle import window_bounds
from scenarios.spec.stage import RESERVED

ALL = RESERVED
ROUNDING = 1e-6  # of the floats in tables; checks judge counts exactly


def distribution(evidence: Evidence) -> pd.DataFrame:
    """A row per backend: weight, expected and answered requests, share, deviation and allowed deviation.

    `expected` divides all answered requests by the claimed weights; `allowed` is the exact bound of weighted
    round-robin, in requests. A backend that is not in the claim has weight 0.
    """
    claim = evidence.manifest.claim
    tags = evidence.responses[Column.HOST_TAG]
    answered = counted(tags[tags != ""]).reindex(evidence.backends, fill_value=0)
    weight = pd.Series(claim.weights).reindex(evidence.backends, fill_value=0)
    expected = answered.sum() * weight / weight.sum()
    return pd.DataFrame(
        {
            Column.WEIGHT: weight,
            Column.EXPECTED: expected,
            Column.ANSWERED: answered,
            Column.SHARE: answered / max(1, answered.sum()),
            Column.DEVIATION: answered - expected,
            Column.ALLOWED: pd.Series(allowed(claim)).reindex(evidence.backends, fill_value=0.0),
        }
    ).rename_axis(Column.HOST_TAG)


def allowed(claim: Claim) -> dict[str, float]:
    """By backend, the largest deviation from its share while the claim holds, in requests."""
    bounds = window_bounds(list(claim.weights.values()))
    return {tag: float(claim.cycles * bound) for tag, bound in zip(claim.weights, bounds, strict=True)}


def at_rank(ordered: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The values at these quantiles of ordered values."""
    values: np.ndarray = ordered[ranks(np.full(len(q), len(ordered)), q)]
    return values


def ranks(counts: np.ndarray, q: Any) -> np.ndarray:
    """The index of each quantile among `counts` ordered values: the first that covers at least this share."""
    places: np.ndarray = np.maximum(np.ceil(np.round(counts * q, 6)).astype("int64") - 1, 0)
    return places


def quantile(values: Any, q: float | list[float]) -> Any:
    """The value at the rank of a quantile, or of each of several."""
    return np.quantile(values, q, method="inverted_cdf")
