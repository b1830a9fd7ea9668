"""What latency is made of, from the client's and the balancer's ledgers: who had the request for how long.

The client's time is split at what the balancer says of the same request. What the balancer does not account for is the
generator's, the kernel's and the network's. The balancer's times are whole milliseconds of a clock that it looks at
once per turn of its loop: a part may be off by about one, and be below zero. Means over many requests are better.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from analysis.balancer_log import upstream_s
from analysis.evidence import Evidence
from analysis.matching import Matching

MEAN = "mean"
AROUND = {"p50": (0.45, 0.55), "p90": (0.88, 0.92), "p99": (0.985, 0.995)}  # the ranks, as shares of all
PARTS = ["connect_ms", "generator_ms", "balancer_ms", "backend_ms"]
TOTAL = "total_ms"
COLUMNS = ["stage", "around", "count", *PARTS, TOTAL]


def parts(evidence: Evidence, matching: Matching) -> pd.DataFrame:
    """Rows per stage: the mean of its answered requests, and of those around p50, p90 and p99 of its latency, in ms.

    Each row's parts add up to its total, for they are of the same requests, `count` of them.
    """
    stage, times_us = _of_requests(evidence, matching)
    rows = [row for name in evidence.stages for row in _of_stage(name, np.flatnonzero(stage == name), times_us)]
    return pd.DataFrame(rows, columns=COLUMNS).set_index(["stage", "around"])


def _of_stage(stage: str, requests: np.ndarray, times_us: Mapping[str, np.ndarray]) -> Iterator[dict[str, object]]:
    if not len(requests):
        return
    count = len(requests)
    in_order = requests[np.argsort(times_us[TOTAL][requests])]
    for around, (low, high) in {MEAN: (0.0, 1.0), **AROUND}.items():
        chosen = in_order[int(low * count) : int(np.ceil(round(high * count, 6)))]
        means = {name: us[chosen].mean() / 1e3 for name, us in times_us.items()}
        yield {"stage": stage, "around": around, "count": len(chosen)} | means


def _of_requests(evidence: Evidence, matching: Matching) -> tuple[pd.Series, dict[str, np.ndarray]]:
    """The stage of each request that was answered and that both ledgers know, and its parts in µs."""
    status = evidence.responses["status"].to_numpy()[matching.client]
    client = evidence.responses[["stage", "latency_us", "connect_us"]].iloc[matching.client[status > 0]]
    log = evidence.balancer[["request_time", "upstream_response_time"]].iloc[matching.balancer[status > 0]]
    total_us, connect_us = client["latency_us"].to_numpy(), client["connect_us"].to_numpy()
    balancer_us = np.rint(log["request_time"].to_numpy() * 1e6).astype("int64")
    backend_us = np.rint(upstream_s(log) * 1e6).astype("int64")
    return client["stage"], {
        "connect_ms": connect_us,
        "generator_ms": total_us - connect_us - balancer_us,
        "balancer_ms": balancer_us - backend_us,
        "backend_ms": backend_us,
        TOTAL: total_us,
    }
