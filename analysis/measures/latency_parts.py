"""The parts of latency, from the client's and the balancer's ledgers: the time in each part of the system.

The balancer's log divides the client's time for the same request. The generator, the kernel and the network account for
the time that the log does not contain. nginx measures whole milliseconds on a clock that it reads once per turn of its
event loop, so a part may be off by about 1 ms, and below zero. Means over many requests are more exact.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from analysis.evidence.balancer_log import upstream_s
from analysis.evidence.evidence import Evidence
from analysis.measures.matching import Matching
from scenarios.formats.columns import Column

MEAN = "mean"
AROUND = {"p50": (0.45, 0.55), "p90": (0.88, 0.92), "p99": (0.985, 0.995)}  # the ranks, as shares of all
PARTS = [Column.CONNECT_MS, Column.GENERATOR_MS, Column.BALANCER_MS, Column.BACKEND_MS]
TOTAL = Column.TOTAL_MS
COLUMNS = [Column.STAGE, Column.AROUND, Column.COUNT, *PARTS, TOTAL]


def parts(evidence: Evidence, matching: Matching) -> pd.DataFrame:
    """Rows per stage: means over its answered requests, and over those around p50, p90 and p99 of latency, in ms.

    The parts of a row add up to its total, because they are means over the same `count` requests.
    """
    stage, times_us = _of_requests(evidence, matching)
    rows = [row for name in evidence.stages for row in _of_stage(name, np.flatnonzero(stage == name), times_us)]
    return pd.DataFrame(rows, columns=COLUMNS).set_index([Column.STAGE, Column.AROUND])


def _of_stage(stage: str, requests: np.ndarray, times_us: Mapping[str, np.ndarray]) -> Iterator[dict[str, object]]:
    if not len(requests):
        return
    count = len(requests)
    in_order = requests[np.argsort(times_us[TOTAL][requests])]
    for around, (low, high) in {MEAN: (0.0, 1.0), **AROUND}.items():
        chosen = in_order[int(low * count) : int(np.ceil(round(high * count, 6)))]
        means = {name: us[chosen].mean() / 1e3 for name, us in times_us.items()}
        yield {Column.STAGE: stage, Column.AROUND: around, Column.COUNT: len(chosen)} | means


def _of_requests(evidence: Evidence, matching: Matching) -> tuple[pd.Series, dict[str, np.ndarray]]:
    """The stage and the parts, in µs, of each answered request that is in both ledgers."""
    status = evidence.responses[Column.STATUS].to_numpy()[matching.client]
    client = evidence.responses[[Column.STAGE, Column.LATENCY_US, Column.CONNECT_US]].iloc[matching.client[status > 0]]
    log = evidence.balancer[[Column.DURATION_S, Column.UPSTREAM_RESPONSE_S]].iloc[matching.balancer[status > 0]]
    total_us, connect_us = client[Column.LATENCY_US].to_numpy(), client[Column.CONNECT_US].to_numpy()
    balancer_us = np.rint(log[Column.DURATION_S].to_numpy() * 1e6).astype("int64")
    backend_us = np.rint(upstream_s(log, evidence.notation) * 1e6).astype("int64")
    return client[Column.STAGE], {
        Column.CONNECT_MS: connect_us,
        Column.GENERATOR_MS: total_us - connect_us - balancer_us,
        Column.BALANCER_MS: balancer_us - backend_us,
        Column.BACKEND_MS: backend_us,
        TOTAL: total_us,
    }
