"""What latency is made of, from the client's and the balancer's ledgers: who had the request for how long.

The client's time is split at what the balancer says of the same request. What the balancer does not account for is the
generator's, the kernel's and the network's. The balancer's times are whole milliseconds of a clock that it looks at
once per turn of its loop: a part may be off by about one, and be below zero. Means over many requests are better.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.evidence import Evidence

MEAN = "mean"
AROUND = {"p50": (0.45, 0.55), "p90": (0.88, 0.92), "p99": (0.985, 0.995)}  # the ranks, as shares of all
PARTS = ["connect_ms", "generator_ms", "balancer_ms", "backend_ms"]
TOTAL = "total_ms"
COLUMNS = ["stage", "around", "count", *PARTS, TOTAL]


def parts(evidence: Evidence) -> pd.DataFrame:
    """Rows per stage: the mean of its answered requests, and of those around p50, p90 and p99 of its latency, in ms.

    Each row's parts add up to its total, for they are of the same requests, `count` of them.
    """
    requests = _of_requests(_both(evidence))
    rows = [row for stage in evidence.stages for row in _of_stage(stage, requests[requests["stage"] == stage])]
    return pd.DataFrame(rows, columns=COLUMNS).set_index(["stage", "around"])


def _of_stage(stage: str, requests: pd.DataFrame) -> Iterator[dict[str, object]]:
    if requests.empty:
        return
    count, order = len(requests), np.argsort(requests[TOTAL].to_numpy())
    values = requests[[*PARTS, TOTAL]].to_numpy()[order]
    for around, (low, high) in {MEAN: (0.0, 1.0), **AROUND}.items():
        chosen = values[int(low * count) : int(np.ceil(round(high * count, 6)))]
        means = dict(zip([*PARTS, TOTAL], chosen.mean(axis=0), strict=True))
        yield {"stage": stage, "around": around, "count": len(chosen)} | means


def _both(evidence: Evidence) -> pd.DataFrame:
    """Answered requests that both ledgers know, with what each says of its time; the balancer's last word on each."""
    answered = evidence.responses.loc[
        evidence.responses["status"] > 0, ["request_id", "stage", "latency_us", "connect_us"]
    ]
    logged = evidence.balancer[["balanced_request_id", "request_time", "upstream_response_time"]]
    logged = logged.drop_duplicates("balanced_request_id", keep="last")
    return answered.merge(logged, left_on="request_id", right_on="balanced_request_id")


def _of_requests(both: pd.DataFrame) -> pd.DataFrame:
    balancer_ms, backend_ms = both["request_time"] * 1e3, 1e3 * upstream_s(both["upstream_response_time"])
    total_ms, connect_ms = both["latency_us"] / 1e3, both["connect_us"] / 1e3
    return pd.DataFrame(
        {
            "stage": both["stage"],
            "connect_ms": connect_ms,
            "generator_ms": total_ms - connect_ms - balancer_ms,
            "balancer_ms": balancer_ms - backend_ms,
            "backend_ms": backend_ms,
            TOTAL: total_ms,
        }
    )


def upstream_s(written: pd.Series) -> pd.Series:
    """Seconds at all the backends that were tried, as `$upstream_response_time` lists them; a dash is none."""
    seconds = pd.to_numeric(written, errors="coerce")
    others = written[seconds.isna()]
    sums = {text: _sum_of(text) for text in others.unique()}
    return seconds.fillna(others.map(sums).astype("float64")).fillna(0.0)


def _sum_of(written: str) -> float:
    tries = pd.to_numeric(pd.Series(written.replace(":", ",").split(",")), errors="coerce")
    return float(tries.sum())
