"""Measures of the generator: the load that it produced and the latency that it added."""

from typing import Any

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.measures.matching import Matching
from analysis.measures.resources import MIB
from analysis.measures.statistics import quantile
from scenarios.formats.columns import Column
from scenarios.formats.rows import OWN_FAULT, SAMPLE_EVERY_S

COUNTS = [Column.USERS, Column.CONNECTIONS, Column.IN_FLIGHT]
PROCESS_COLUMNS = [
    Column.PROCESS,
    Column.START_UP_S,
    Column.SECONDS,
    Column.USERS,
    Column.CONNECTS,
    Column.CPU_S,
    Column.CPU,
    Column.MEMORY_PEAK_MIB,
]
LOOP_LAG, OWN_SHARE = "loop lag", "own share of latency"
QUANTILES = {Column.P50_MS: 0.5, Column.P90_MS: 0.9, Column.P99_MS: 0.99, Column.MAX_MS: 1.0}


def totals(evidence: Evidence) -> pd.DataFrame:
    """A row per moment at which a process took a sample, by `at_us`: the stage, and `COUNTS` over all processes.

    Between two of its own samples a process counts with the values of the first.
    """
    samples = evidence.generator.drop_duplicates([Column.AT_US, Column.PROCESS], keep="last").sort_values(Column.AT_US)
    if samples.empty:
        return pd.DataFrame(columns=[*COUNTS, Column.STAGE])
    by_process = samples.pivot(index=Column.AT_US, columns=Column.PROCESS, values=COUNTS).ffill().fillna(0)
    frame = pd.DataFrame({name: by_process[name].T.sum(axis=0) for name in COUNTS}).astype("int64")
    return frame.assign(**{Column.STAGE: samples.groupby(Column.AT_US)[Column.STAGE].last()})


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
        at = sampled[sampled[Column.STAGE] == stage.name]
        of_stage = responses[Column.STAGE] == stage.name
        answered = responses.loc[
            of_stage & (responses[Column.STATUS] > 0), [Column.SENT_US, Column.LATENCY_US, Column.LATE_US]
        ]
        complete = at.index[at[Column.USERS] >= stage.users]
        rows.append(
            {
                Column.STAGE: stage.name,
                Column.USERS_ASKED: stage.users,
                Column.USERS: int(at[Column.USERS].max()) if len(at) else 0,
                Column.RAMP_S: (complete[0] - at.index[0]) / 1e6 if len(complete) else float("nan"),
                Column.CONNECTIONS: int(at[Column.CONNECTIONS].max()) if len(at) else 0,
                Column.IN_FLIGHT: most_at_once(
                    answered[Column.SENT_US], answered[Column.LATENCY_US] + answered[Column.LATE_US]
                ),
                Column.UNANSWERED: most_at_once(answered[Column.SENT_US], answered[Column.LATENCY_US]),
                Column.CONNECTED_FIRST: int((of_stage & (responses[Column.CONNECT_US] > 0)).sum()),
            }
        )
    return pd.DataFrame(rows).set_index(Column.STAGE)


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
    for process, samples in evidence.generator.groupby(Column.PROCESS, sort=False):
        seconds = (samples[Column.AT_US].max() - samples[Column.AT_US].min()) / 1e6
        cpu_s = (samples[Column.CPU_US].max() - samples[Column.CPU_US].min()) / 1e6
        rows.append(
            {
                Column.PROCESS: process,
                Column.START_UP_S: (samples[Column.AT_US].min() - started_us) / 1e6,
                Column.SECONDS: seconds,
                Column.USERS: samples[Column.USERS].max(),
                Column.CONNECTS: samples[Column.CONNECTS].max(),
                Column.CPU_S: cpu_s,
                Column.CPU: cpu_s / seconds if seconds else float("nan"),
                Column.MEMORY_PEAK_MIB: samples[Column.MEMORY_BYTES].max() / MIB,
            }
        )
    return pd.DataFrame(rows, columns=PROCESS_COLUMNS).set_index(Column.PROCESS)


def overhead(evidence: Evidence, matching: Matching) -> pd.DataFrame:
    """A row per measure of the latency that the generator adds: count, percentiles and maximum, in ms."""
    measures = {LOOP_LAG: loop_lag_ms(evidence), OWN_SHARE: own_share_ms(evidence, matching)}
    rows: list[dict[str, Any]] = [
        {Column.MEASURE: name, Column.COUNT: len(ms)}
        | dict(zip(QUANTILES, quantile(ms, list(QUANTILES.values())), strict=True))
        for name, ms in measures.items()
        if len(ms)
    ]
    return pd.DataFrame(rows, columns=[Column.MEASURE, Column.COUNT, *QUANTILES]).set_index(Column.MEASURE)


def loop_lag_ms(evidence: Evidence) -> np.ndarray:
    """The lag of the event loop, in ms: how late each sample was.

    A busy loop skips samples. They count too, each one period less late than the sample before it.
    """
    lag_ms, period_ms = evidence.generator[Column.LAG_US].to_numpy() / 1e3, SAMPLE_EVERY_S * 1e3
    left_out = np.floor(lag_ms / period_ms).astype(int)
    steps = np.concatenate([np.arange(1, count + 1) for count in left_out]) if len(left_out) else np.array([])
    return np.concatenate([lag_ms, np.repeat(lag_ms, left_out) - steps * period_ms])


def own_share_ms(evidence: Evidence, matching: Matching) -> np.ndarray:
    """By answered request, the client's time without connecting, less the balancer's time for the same id, in ms.

    It includes the time of the network and the kernel. nginx measures whole milliseconds on a clock that it reads once
    per turn of its event loop, so a value may be off by about 1 ms, and below zero.
    """
    client, log = evidence.responses, evidence.balancer
    client_ms = (client[Column.LATENCY_US] - client[Column.CONNECT_US]).to_numpy()[matching.client] / 1e3
    balancer_ms = log[Column.DURATION_S].to_numpy()[matching.balancer] * 1e3
    answered = client[Column.STATUS].to_numpy()[matching.client] > 0
    own_ms: np.ndarray = (client_ms - balancer_ms)[answered]
    return own_ms


def drawn(evidence: Evidence, totals: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    """The values of the picture, by seconds since the first request: totals, users asked for, and samples.

    The samples of the processes have `at_s`, their lag `lag_ms`, and `cpu`, the cores used since the sample before.
    """
    start_us = evidence.responses[Column.SENT_US].min() if len(evidence.responses) else totals.index[0]
    by_second = totals.set_index((totals.index - start_us) / 1e6)
    asked = {stage.name: stage.users for stage in evidence.manifest.scenario.stages}
    samples = evidence.generator.sort_values([Column.PROCESS, Column.AT_US])
    grown = samples.groupby(Column.PROCESS)[[Column.AT_US, Column.CPU_US]].diff()
    of_process = pd.DataFrame(
        {
            Column.PROCESS: samples[Column.PROCESS],
            Column.AT_S: (samples[Column.AT_US] - start_us) / 1e6,
            Column.LAG_MS: samples[Column.LAG_US] / 1e3,
            Column.CPU: grown[Column.CPU_US] / grown[Column.AT_US],
        }
    )
    return by_second, by_second[Column.STAGE].map(asked).fillna(0), of_process


def own_faults(errors: pd.Series) -> pd.Series:
    """By error, whether it is for a reason on the generator's side."""
    return errors.str.startswith(f"{OWN_FAULT}:", na=False).astype(bool)
