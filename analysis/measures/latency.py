"""Latency. Every percentile is exact: the value at its rank among all, without interpolation."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.evidence.request_rows import places
from analysis.measures.statistics import ALL, at_rank, ranks
from scenarios.formats.columns import Column

QUANTILES = {
    Column.P50_MS: 0.5,
    Column.P90_MS: 0.9,
    Column.P95_MS: 0.95,
    Column.P99_MS: 0.99,
    Column.P99_9_MS: 0.999,
    Column.P99_99_MS: 0.9999,
}
NINES = 4  # p99.99
STEPS = 14  # of a curve, from one nine to the next
BEYOND = 5  # slower answers that a percentile needs: with fewer, its value would differ much in the next run
KEYS = [Column.HOST_TAG, Column.STAGE]

Ordered = Mapping[tuple[str, str], np.ndarray]


def ordered(evidence: Evidence) -> Ordered:
    """The latencies in µs in ascending order, by backend and stage, and over all of either.

    They are of answered requests, whatever the status. A request without an answer has no latency.
    """
    responses = evidence.responses
    answered = np.flatnonzero(responses[Column.STATUS] > 0)
    latency_us = responses[Column.LATENCY_US].to_numpy()[answered]
    order = np.argsort(latency_us)
    latency_us, answered = latency_us[order], answered[order]
    tag = places(responses[Column.HOST_TAG], evidence.backends)[answered]
    stage = places(responses[Column.STAGE], evidence.stages)[answered]
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
        | {Column.COUNT: len(us), Column.MEAN_MS: us.mean() / 1e3}
        | dict(zip(QUANTILES, at_rank(us, np.array(list(QUANTILES.values()))) / 1e3, strict=True))
        | {Column.MAX_MS: us[-1] / 1e3}
        for key, us in ordered.items()
    ]
    return pd.DataFrame(rows, columns=[*KEYS, Column.COUNT, Column.MEAN_MS, *QUANTILES, Column.MAX_MS]).set_index(KEYS)


def percentiles(ordered: Ordered) -> pd.DataFrame:
    """The whole curve: a row per backend, stage and percentile, in ms. Percentiles are denser towards 100.

    Beyond its median, a curve ends where fewer than `BEYOND` answers were slower.
    """
    frames = []
    for (tag, stage), us in ordered.items():
        slower = len(us) - 1 - ranks(np.full(len(CURVE), len(us)), CURVE / 100)
        curve = CURVE[(CURVE <= 50) | (slower >= BEYOND)]
        values = at_rank(us, curve / 100) / 1e3
        frames.append(
            pd.DataFrame(
                {Column.HOST_TAG: tag, Column.STAGE: stage, Column.PERCENTILE: curve, Column.LATENCY_MS: values}
            )
        )
    columns = [*KEYS, Column.PERCENTILE, Column.LATENCY_MS]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _are(places: np.ndarray, wanted: int | None) -> np.ndarray:
    """Which places are the wanted one; all of them if `wanted` is None."""
    return np.ones(len(places), dtype=bool) if wanted is None else places == wanted


def _curve() -> np.ndarray:
    """Percentiles from 0 to 99.99, evenly spaced by their number of nines, and 50."""
    evenly = 100 * (1 - 10.0 ** -np.linspace(0, NINES, STEPS * NINES + 1))
    return np.unique(np.append(evenly.round(3), 50.0))


CURVE = _curve()
