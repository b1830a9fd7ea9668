"""Who answered how much, and what a percentile is: the value at its rank among all, no interpolation."""

from typing import Any

import numpy as np
import pandas as pd

from analysis.evidence import Evidence
from analysis.request_ledgers import counted
from scenarios.claim import Claim
from scenarios.definition import RESERVED
from scenarios.round_robin import window_bounds

ALL = RESERVED
ROUNDING = 1e-6  # of the floats that tables hold; counts are judged exactly


def distribution(evidence: Evidence) -> pd.DataFrame:
    """A row per backend: weight, expected and answered requests, share, deviation and how much of it is allowed.

    `expected` divides the requests that some backend answered by the claimed weights; `allowed` is the exact bound of
    weighted round-robin, in requests. A backend that is not in the claim has weight 0.
    """
    claim = evidence.manifest.claim
    tags = evidence.responses["host_tag"]
    answered = counted(tags[tags != ""]).reindex(evidence.backends, fill_value=0)
    weight = pd.Series(claim.weights).reindex(evidence.backends, fill_value=0)
    expected = answered.sum() * weight / weight.sum()
    return pd.DataFrame(
        {
            "weight": weight,
            "expected": expected,
            "answered": answered,
            "share": answered / max(1, answered.sum()),
            "deviation": answered - expected,
            "allowed": pd.Series(allowed(claim)).reindex(evidence.backends, fill_value=0.0),
        }
    ).rename_axis("host_tag")


def allowed(claim: Claim) -> dict[str, float]:
    """By backend, how many requests its count may be off its share when the claim holds."""
    bounds = window_bounds(list(claim.weights.values()))
    return {tag: float(claim.cycles * bound) for tag, bound in zip(claim.weights, bounds, strict=True)}


def at_rank(ordered: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The values at these quantiles, of values that stand in order."""
    values: np.ndarray = ordered[ranks(np.full(len(q), len(ordered)), q)]
    return values


def ranks(counts: np.ndarray, q: Any) -> np.ndarray:
    """The place, from 0, of the quantile among so many values in order: the first that at least this share reaches."""
    places: np.ndarray = np.maximum(np.ceil(np.round(counts * q, 6)).astype("int64") - 1, 0)
    return places


def quantile(values: Any, q: float | list[float]) -> Any:
    """The value at its rank among all."""
    return np.quantile(values, q, method="inverted_cdf")
