"""Latency. Every percentile is exact: the value at its rank among all, without interpolation."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.evidence.request_rows import places
from analysis.measures.statistics import ALL, at_rank, ranks

QUANTILES = {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99, "p99_9_ms": 0.999, "p99_99_ms": 0.9999}
NINES = 4  # p99.99
STEPS = 14  # of a curve, from one nine to the next
BEYOND = 5  # slower answers that a percentile needs: with fewer, its value would differ much in the next run
KEYS = ["host_tag", "stage"]

Ordered = Mapping[tuple[str, str], np.ndarray]


def ordered(evidence: Evidence) -> Ordered:
    """The latencies in µs in ascending order, by backend and stage, and over all of either.

    They are of answered requests, whatever the status. A request without an answer has no latency.
    """
    responses = evidence.responses
    answered = np.flatnonzero(responses["status"] > 0)
    latency_us = responses["latency_us"].to_numpy()[answered]
    order = np.argsort(latency_us)
    latency_us, answered = latency_us[order], answered[order]
    tag = places(responses["host_tag"], evidence.backends)[answered]
    stage = places(responses["stage"], evidence.stages)[answered]
    chosen = {
        (of_tag, of_stage): latency_us[_are(tag, row) & _are(stage, column)]
        for row, of_tag in [*enumerate(evidence.backends), (None, ALL)]
        for column, of_stage in [*enumerate(evidence.stages), (None, ALL)]
    }
    return {key: values for key, values in chosen.items() if len(values)}


def latency(ordered: Ordered) -> pd.DataFrame:
    """A row per backend and stage, and over all of either: count, mean, percentiles and maximum, in ms."""
    rows = [
        dict(zip(KEYS, key, strict=True))
        | {"count": len(us), "mean_ms": us.mean() / 1e3}
        | dict(zip(QUANTILES, at_rank(us, np.array(list(QUANTILES.values()))) / 1e3, strict=True))
        | {"max_ms": us[-1] / 1e3}
        for key, us in ordered.items()
    ]
    return pd.DataFrame(rows, columns=[*KEYS, "count", "mean_ms", *QUANTILES, "max_ms"]).set_index(KEYS)


def percentiles(ordered: Ordered) -> pd.DataFrame:
    """The whole curve: a row per backend, stage and percentile, in ms. Percentiles are denser towards 100.

    Beyond its median, a curve ends where fewer than `BEYOND` answers were slower.
    """
    frames = []
    for (tag, stage), us in ordered.items():
        slower = len(us) - 1 - ranks(np.full(len(CURVE), len(us)), CURVE / 100)
        curve = CURVE[(CURVE <= 50) | (slower >= BEYOND)]
        values = at_rank(us, curve / 100) / 1e3
        frames.append(pd.DataFrame({"host_tag": tag, "stage": stage, "percentile": curve, "latency_ms": values}))
    columns = [*KEYS, "percentile", "latency_ms"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _are(places: np.ndarray, wanted: int | None) -> np.ndarray:
    """Which places are the wanted one; all of them if `wanted` is None."""
    return np.ones(len(places), dtype=bool) if wanted is None else places == wanted


def _curve() -> np.ndarray:
    """Percentiles from 0 to 99.99, evenly spaced by their number of nines, and 50."""
    evenly = 100 * (1 - 10.0 ** -np.linspace(0, NINES, STEPS * NINES + 1))
    return np.unique(np.append(evenly.round(3), 50.0))


CURVE = _curve()
