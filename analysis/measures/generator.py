"""Measures of the generator: the load that it produced and the latency that it added."""

from typing import Any

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.measures.matching import Matching
from analysis.measures.resources import MIB
from analysis.measures.statistics import quantile
from scenarios.formats.rows import OWN_FAULT, SAMPLE_EVERY_S

COUNTS = ["users", "connections", "in_flight"]
PROCESS_COLUMNS = ["process", "start_up_s", "seconds", "users", "connects", "cpu_s", "cpu", "memory_peak_mib"]
LOOP_LAG, OWN_SHARE = "loop lag", "own share of latency"
QUANTILES = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "max_ms": 1.0}


def totals(evidence: Evidence) -> pd.DataFrame:
    """A row per moment at which a process took a sample, by `at_us`: the stage, and `COUNTS` over all processes.

    Between two of its own samples a process counts with the values of the first.
    """
    samples = evidence.generator.drop_duplicates(["at_us", "process"], keep="last").sort_values("at_us")
    if samples.empty:
        return pd.DataFrame(columns=[*COUNTS, "stage"])
    by_process = samples.pivot(index="at_us", columns="process", values=COUNTS).ffill().fillna(0)
    frame = pd.DataFrame({name: by_process[name].T.sum(axis=0) for name in COUNTS}).astype("int64")
    return frame.assign(stage=samples.groupby("at_us")["stage"].last())


def stages(evidence: Evidence, sampled: pd.DataFrame) -> pd.DataFrame:
    """A row per stage: users asked for and reached, `ramp_s`, and the peaks of connections and requests.

    `sampled` are the totals of the same evidence. `ramp_s` is the seconds until all users ran; not a number if that
    never happened.
    `in_flight` counts sent requests whose answer the process had not read yet. `unanswered` counts those whose answer
    had not arrived yet; it is lower, because a process that sends does not read meanwhile. Both leave out requests that
    were never answered. `connected_first` counts requests whose user had to connect again. These three come from the
    client's ledger and are exact; the rest is sampled.
    """
    responses, rows = evidence.responses, []
    for stage in evidence.manifest.scenario.stages:
        at = sampled[sampled["stage"] == stage.name]
        of_stage = responses["stage"] == stage.name
        answered = responses.loc[of_stage & (responses["status"] > 0), ["sent_us", "latency_us", "late_us"]]
        complete = at.index[at["users"] >= stage.users]
        rows.append(
            {
                "stage": stage.name,
                "users_asked": stage.users,
                "users": int(at["users"].max()) if len(at) else 0,
                "ramp_s": (complete[0] - at.index[0]) / 1e6 if len(complete) else float("nan"),
                "connections": int(at["connections"].max()) if len(at) else 0,
                "in_flight": most_at_once(answered["sent_us"], answered["latency_us"] + answered["late_us"]),
                "unanswered": most_at_once(answered["sent_us"], answered["latency_us"]),
                "connected_first": int((of_stage & (responses["connect_us"] > 0)).sum()),
            }
        )
    return pd.DataFrame(rows).set_index("stage")


def most_at_once(starts: pd.Series, lengths: pd.Series) -> int:
    """The largest number of intervals that overlap at one moment."""
    begun, ended = np.sort(starts.to_numpy()), np.sort((starts + lengths).to_numpy())
    over = np.searchsorted(ended, begun, side="right")  # an interval that ends when another begins does not overlap it
    return int((np.arange(1, len(begun) + 1) - over).max(initial=0))


def processes(evidence: Evidence) -> pd.DataFrame:
    """A row per process: peak users, connections opened, CPU in seconds and in cores, peak memory in MiB.

    `start_up_s` is the time from the start of the generator's main process to the first sample of this process,
    `seconds` the time from there to its last sample.
    """
    started_us = evidence.manifest.generator_started_at.timestamp() * 1e6
    rows = []
    for process, samples in evidence.generator.groupby("process", sort=False):
        seconds = (samples["at_us"].max() - samples["at_us"].min()) / 1e6
        cpu_s = (samples["cpu_us"].max() - samples["cpu_us"].min()) / 1e6
        rows.append(
            {
                "process": process,
                "start_up_s": (samples["at_us"].min() - started_us) / 1e6,
                "seconds": seconds,
                "users": samples["users"].max(),
                "connects": samples["connects"].max(),
                "cpu_s": cpu_s,
                "cpu": cpu_s / seconds if seconds else float("nan"),
                "memory_peak_mib": samples["memory_bytes"].max() / MIB,
            }
        )
    return pd.DataFrame(rows, columns=PROCESS_COLUMNS).set_index("process")


def overhead(evidence: Evidence, matching: Matching) -> pd.DataFrame:
    """A row per measure of the latency that the generator adds: count, percentiles and maximum, in ms."""
    measures = {LOOP_LAG: loop_lag_ms(evidence), OWN_SHARE: own_share_ms(evidence, matching)}
    rows: list[dict[str, Any]] = [
        {"measure": name, "count": len(ms)} | dict(zip(QUANTILES, quantile(ms, list(QUANTILES.values())), strict=True))
        for name, ms in measures.items()
        if len(ms)
    ]
    return pd.DataFrame(rows, columns=["measure", "count", *QUANTILES]).set_index("measure")


def loop_lag_ms(evidence: Evidence) -> np.ndarray:
    """The lag of the event loop, in ms: how late each sample was.

    A busy loop skips samples. They count too, each one period less late than the sample before it.
    """
    lag_ms, period_ms = evidence.generator["lag_us"].to_numpy() / 1e3, SAMPLE_EVERY_S * 1e3
    left_out = np.floor(lag_ms / period_ms).astype(int)
    steps = np.concatenate([np.arange(1, count + 1) for count in left_out]) if len(left_out) else np.array([])
    return np.concatenate([lag_ms, np.repeat(lag_ms, left_out) - steps * period_ms])


def own_share_ms(evidence: Evidence, matching: Matching) -> np.ndarray:
    """By answered request, the client's time without connecting, less the balancer's time for the same id, in ms.

    It includes the time of the network and the kernel. nginx measures whole milliseconds on a clock that it reads once
    per turn of its event loop, so a value may be off by about 1 ms, and below zero.
    """
    client, log = evidence.responses, evidence.balancer
    client_ms = (client["latency_us"] - client["connect_us"]).to_numpy()[matching.client] / 1e3
    balancer_ms = log["duration_s"].to_numpy()[matching.balancer] * 1e3
    answered = client["status"].to_numpy()[matching.client] > 0
    own_ms: np.ndarray = (client_ms - balancer_ms)[answered]
    return own_ms


def drawn(evidence: Evidence, totals: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    """The values of the picture, by seconds since the first request: totals, users asked for, and samples.

    The samples of the processes have `at_s`, their lag `lag_ms`, and `cpu`, the cores used since the sample before.
    """
    start_us = evidence.responses["sent_us"].min() if len(evidence.responses) else totals.index[0]
    by_second = totals.set_index((totals.index - start_us) / 1e6)
    asked = {stage.name: stage.users for stage in evidence.manifest.scenario.stages}
    samples = evidence.generator.sort_values(["process", "at_us"])
    grown = samples.groupby("process")[["at_us", "cpu_us"]].diff()
    of_process = pd.DataFrame(
        {
            "process": samples["process"],
            "at_s": (samples["at_us"] - start_us) / 1e6,
            "lag_ms": samples["lag_us"] / 1e3,
            "cpu": grown["cpu_us"] / grown["at_us"],
        }
    )
    return by_second, by_second["stage"].map(asked).fillna(0), of_process


def own_faults(errors: pd.Series) -> pd.Series:
    """By error, whether it is for a reason on the generator's side."""
    return errors.str.startswith(f"{OWN_FAULT}:", na=False).astype(bool)
