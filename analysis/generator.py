"""What the generator says about itself: what it had and what it added, from its processes and both ends' times."""

from typing import Any

import numpy as np
import pandas as pd

from analysis.evidence import Evidence
from analysis.matching import Matching
from analysis.resources import MIB
from analysis.statistics import quantile
from scenarios.ledgers import OWN_FAULT, PULSE_EVERY_S

COUNTS = ["users", "connections", "in_flight"]
PROCESS_COLUMNS = ["process", "start_up_s", "seconds", "users", "connects", "cpu_s", "cpu", "memory_peak_mib"]
LOOP_LAG, OWN_SHARE = "loop lag", "own share of latency"
QUANTILES = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "max_ms": 1.0}


def totals(evidence: Evidence) -> pd.DataFrame:
    """A row per moment at which a process said how it was, by `at_us`: the stage, and `COUNTS` of all processes.

    Between two moments of its own a process counts as it was at the first.
    """
    pulses = evidence.pulses.drop_duplicates(["at_us", "process"], keep="last").sort_values("at_us")
    if pulses.empty:
        return pd.DataFrame(columns=[*COUNTS, "stage"])
    by_process = pulses.pivot(index="at_us", columns="process", values=COUNTS).ffill().fillna(0)
    frame = pd.DataFrame({name: by_process[name].T.sum(axis=0) for name in COUNTS}).astype("int64")
    return frame.assign(stage=pulses.groupby("at_us")["stage"].last())


def stages(evidence: Evidence, sampled: pd.DataFrame) -> pd.DataFrame:
    """A row per stage: users asked for and had, the seconds until all were there, and what there was most of at once.

    `sampled` are the totals of the same evidence.
    `in_flight` counts requests that were sent and whose answer was not read yet, `unanswered` those whose answer had
    not arrived yet, of those that came at all: a process that is sending reads nothing meanwhile. `connected_first`
    counts requests whose user had no connection any more. These three are from the client's ledger, and so exact; the
    rest is sampled. `ramp_s` is not a number where the users were never all there.
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
    """The most of these stretches of time that had something in common."""
    begun, ended = np.sort(starts.to_numpy()), np.sort((starts + lengths).to_numpy())
    over = np.searchsorted(ended, begun, side="right")  # who ends when another begins is not under way with it
    return int((np.arange(1, len(begun) + 1) - over).max(initial=0))


def processes(evidence: Evidence) -> pd.DataFrame:
    """A row per process: its most users, connections ever opened, CPU in seconds and in cores, peak memory in MiB.

    `start_up_s` is from the start of the process that leads to its first sample, `seconds` from there to its last.
    """
    started_us = evidence.manifest.generator_started_at.timestamp() * 1e6
    rows = []
    for process, pulses in evidence.pulses.groupby("process", sort=False):
        seconds = (pulses["at_us"].max() - pulses["at_us"].min()) / 1e6
        cpu_s = (pulses["cpu_us"].max() - pulses["cpu_us"].min()) / 1e6
        rows.append(
            {
                "process": process,
                "start_up_s": (pulses["at_us"].min() - started_us) / 1e6,
                "seconds": seconds,
                "users": pulses["users"].max(),
                "connects": pulses["connects"].max(),
                "cpu_s": cpu_s,
                "cpu": cpu_s / seconds if seconds else float("nan"),
                "memory_peak_mib": pulses["memory_bytes"].max() / MIB,
            }
        )
    return pd.DataFrame(rows, columns=PROCESS_COLUMNS).set_index("process")


def overhead(evidence: Evidence, matching: Matching) -> pd.DataFrame:
    """A row per measure of what the generator adds: how many values, percentiles and maximum in ms."""
    measures = {LOOP_LAG: loop_lag_ms(evidence), OWN_SHARE: own_share_ms(evidence, matching)}
    rows: list[dict[str, Any]] = [
        {"measure": name, "count": len(ms)} | dict(zip(QUANTILES, quantile(ms, list(QUANTILES.values())), strict=True))
        for name, ms in measures.items()
        if len(ms)
    ]
    return pd.DataFrame(rows, columns=["measure", "count", *QUANTILES]).set_index("measure")


def loop_lag_ms(evidence: Evidence) -> np.ndarray:
    """How late each moment came at which a process wanted to look at itself.

    Those that a busy loop left out are counted as they would have come: one period less late than the one before.
    """
    lag_ms, period_ms = evidence.pulses["lag_us"].to_numpy() / 1e3, PULSE_EVERY_S * 1e3
    left_out = np.floor(lag_ms / period_ms).astype(int)
    steps = np.concatenate([np.arange(1, count + 1) for count in left_out]) if len(left_out) else np.array([])
    return np.concatenate([lag_ms, np.repeat(lag_ms, left_out) - steps * period_ms])


def own_share_ms(evidence: Evidence, matching: Matching) -> np.ndarray:
    """By answered request, the client's time without connecting, less the balancer's for the same id.

    The network's time and the kernel's are part of it. The balancer's time is in whole milliseconds, of a clock that it
    looks at once per turn of its loop: a value may be off by about one, and be below zero.
    """
    client, log = evidence.responses, evidence.balancer
    client_ms = (client["latency_us"] - client["connect_us"]).to_numpy()[matching.client] / 1e3
    balancer_ms = log["request_time"].to_numpy()[matching.balancer] * 1e3
    answered = client["status"].to_numpy()[matching.client] > 0
    own_ms: np.ndarray = (client_ms - balancer_ms)[answered]
    return own_ms


def drawn(evidence: Evidence, totals: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    """What a picture shows, by seconds since the first request: the totals, the users asked for, and the processes.

    Of these, in a row per sample, `at_s`, how late it was, `lag_ms`, and the CPU since the one before, `cpu` in cores.
    """
    start_us = evidence.responses["sent_us"].min() if len(evidence.responses) else totals.index[0]
    by_second = totals.set_index((totals.index - start_us) / 1e6)
    asked = {stage.name: stage.users for stage in evidence.manifest.scenario.stages}
    pulses = evidence.pulses.sort_values(["process", "at_us"])
    grown = pulses.groupby("process")[["at_us", "cpu_us"]].diff()
    of_process = pd.DataFrame(
        {
            "process": pulses["process"],
            "at_s": (pulses["at_us"] - start_us) / 1e6,
            "lag_ms": pulses["lag_us"] / 1e3,
            "cpu": grown["cpu_us"] / grown["at_us"],
        }
    )
    return by_second, by_second["stage"].map(asked).fillna(0), of_process


def own_faults(evidence: Evidence) -> pd.Series:
    """Which requests failed for a reason on the generator's side."""
    return evidence.responses["error"].str.startswith(OWN_FAULT)
