"""How long answers took: every percentile is exact, the value at its rank among all, no interpolation."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.evidence import Evidence
from analysis.statistics import ALL, at_rank

QUANTILES = {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99, "p99_9_ms": 0.999, "p99_99_ms": 0.9999}
NINES = 4  # p99.99
STEPS = 14  # of a curve from one nine to the next
BEYOND = 5  # answers that were slower still: with fewer, the next run would have quite another value there
KEYS = ["host_tag", "stage"]

Ordered = Mapping[tuple[str, str], np.ndarray]


def ordered(evidence: Evidence) -> Ordered:
    """By backend and stage, and by all of either, the latencies in ms from the shortest to the longest.

    Of requests that were answered, well or badly; one that nobody answered has no latency.
    """
    responses = evidence.responses
    tags, stages = [*evidence.backends, ALL], [*evidence.stages, ALL]
    tag = pd.Index(evidence.backends).get_indexer(pd.Index(responses["host_tag"]))
    stage = pd.Index(evidence.stages).get_indexer(pd.Index(responses["stage"]))
    answered = responses["status"].to_numpy() > 0
    ms = responses["latency_us"].to_numpy()[answered] / 1e3
    tag, stage = tag[answered], stage[answered]
    order = np.argsort(ms)
    ms, tag, stage = ms[order], tag[order], stage[order]
    chosen = {
        (a, b): ms[_are(tag, row, len(tags)) & _are(stage, column, len(stages))]
        for row, a in enumerate(tags)
        for column, b in enumerate(stages)
    }
    return {key: values for key, values in chosen.items() if len(values)}


def latency(ordered: Ordered) -> pd.DataFrame:
    """A row per backend and stage, and for all of either: count, mean, percentiles and maximum, in ms."""
    rows = [
        dict(zip(KEYS, key, strict=True))
        | {"count": len(ms), "mean_ms": ms.mean()}
        | dict(zip(QUANTILES, at_rank(ms, np.array(list(QUANTILES.values()))), strict=True))
        | {"max_ms": ms[-1]}
        for key, ms in ordered.items()
    ]
    return pd.DataFrame(rows, columns=[*KEYS, "count", "mean_ms", *QUANTILES, "max_ms"]).set_index(KEYS)


def percentiles(ordered: Ordered) -> pd.DataFrame:
    """The same whole: a row per backend, stage and percentile, closer together the nearer they are to 100, in ms.

    A curve ends, after its median, where fewer than `BEYOND` answers were slower.
    """
    frames = []
    for (tag, stage), ms in ordered.items():
        curve = CURVE[(CURVE <= 50) | (len(ms) * (100 - CURVE) / 100 >= BEYOND)]
        values = at_rank(ms, curve / 100)
        frames.append(pd.DataFrame({"host_tag": tag, "stage": stage, "percentile": curve, "latency_ms": values}))
    columns = [*KEYS, "percentile", "latency_ms"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _are(codes: np.ndarray, code: int, count: int) -> np.ndarray:
    """Which have this code; the last one means all."""
    return codes == code if code < count - 1 else np.ones(len(codes), dtype=bool)


def _curve() -> np.ndarray:
    """Percentiles from 0 to 99.99, evenly by the number of nines, 50 among them."""
    evenly = 100 * (1 - 10.0 ** -np.linspace(0, NINES, STEPS * NINES + 1))
    return np.unique(np.append(evenly.round(3), 50.0))


CURVE = _curve()
