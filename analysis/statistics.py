"""Tables: frames in, frames out. Every percentile is exact: the value at its rank among all, no interpolation."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from analysis.evidence import Evidence
from analysis.request_ledgers import counted
from analysis.round_robin import window_bounds
from scenarios.claim import Claim
from scenarios.definition import RESERVED

ALL = RESERVED
ROUNDING = 1e-6  # of the floats that tables hold; counts are judged exactly
QUANTILES = {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99, "p99_9_ms": 0.999}


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


def latency(evidence: Evidence) -> pd.DataFrame:
    """A row per backend and stage, and for all of either: count, mean, percentiles and maximum, in ms.

    Of requests that were answered, well or badly; one that nobody answered has no latency.
    """
    responses = evidence.responses
    answered = responses[responses["status"] > 0]
    rows = [
        {"host_tag": tag, "stage": stage} | _summary(answered["latency_us"][chosen].to_numpy() / 1e3)
        for tag, of_tag in _selections(answered["host_tag"], evidence.backends)
        for stage, of_stage in _selections(answered["stage"], evidence.stages)
        if (chosen := of_tag & of_stage).any()
    ]
    columns = ["host_tag", "stage", "count", "mean_ms", *QUANTILES, "max_ms"]
    return pd.DataFrame(rows, columns=columns).set_index(["host_tag", "stage"])


def timeline(evidence: Evidence, users: pd.Series) -> pd.DataFrame:
    """A row per second since the first request: users, requests sent, answered and failed, and latency in ms.

    `users` are by time in microseconds. A request counts as sent in the second it was sent, and as answered or failed
    in the second it came to its end.
    """
    responses = evidence.responses
    start_us = responses["sent_us"].min() if len(responses) else users.index.min()
    ended = _seconds(responses["sent_us"] + responses["latency_us"], start_us)
    failed = responses["error"] != ""
    ms = responses["latency_us"] / 1e3
    frame = pd.DataFrame(
        {
            "users": users.groupby(_seconds(users.index, start_us)).max(),
            "sent": responses.groupby(_seconds(responses["sent_us"], start_us)).size(),
            "answered": (~failed).groupby(ended).sum(),
            "failed": failed.groupby(ended).sum(),
            "p50_ms": ms.groupby(ended).agg(quantile, q=0.5),
            "p99_ms": ms.groupby(ended).agg(quantile, q=0.99),
        }
    )
    frame = frame[frame.index >= 0]
    frame = frame.reindex(pd.RangeIndex(int(frame.index.max()) + 1 if len(frame) else 0, name="second"))
    counts = ["sent", "answered", "failed"]
    return frame.assign(users=frame["users"].ffill(), **{name: frame[name].fillna(0) for name in counts}).astype(
        {"users": "Int64"} | dict.fromkeys(counts, "int64")
    )


def _selections(values: pd.Series, wanted: list[str]) -> Iterator[tuple[str, pd.Series]]:
    yield from ((value, values == value) for value in wanted)
    yield ALL, pd.Series(data=True, index=values.index)


def _summary(ms: np.ndarray) -> dict[str, float]:
    quantiles = quantile(ms, list(QUANTILES.values()))
    return (
        {"count": len(ms), "mean_ms": ms.mean()} | dict(zip(QUANTILES, quantiles, strict=True)) | {"max_ms": ms.max()}
    )


def quantile(values: Any, q: float | list[float]) -> Any:
    """The value at its rank among all."""
    return np.quantile(values, q, method="inverted_cdf")


def _seconds(at_us: Any, start_us: int) -> Any:
    return (at_us - start_us) // 1_000_000
