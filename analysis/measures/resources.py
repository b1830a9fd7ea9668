"""The resources that the services used, from samples of running totals: between samples, and per service."""

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.evidence.request_rows import counted
from scenarios.formats.columns import Column

MIB = 2**20
RATES = {
    Column.RECEIVED_BYTES: Column.RECEIVED,
    Column.SENT_BYTES: Column.SENT,
    Column.READ_BYTES: Column.READ,
    Column.WRITTEN_BYTES: Column.WRITTEN,
}
TOTALS = {
    Column.RECEIVED: Column.RECEIVED_MIB,
    Column.SENT: Column.SENT_MIB,
    Column.READ: Column.READ_MIB,
    Column.WRITTEN: Column.WRITTEN_MIB,
}


def intervals(evidence: Evidence) -> pd.DataFrame:
    """A row per interval between two successive samples of a container that did not restart in between.

    `end_s` is the interval's end in seconds since the first request, `seconds` its length. `cpu` is in cores. The
    container was throttled in `throttled_periods` of its `periods`. `memory_mib` is its memory at the end. `received`,
    `sent`, `read` and `written` are in MiB per second, not a number if not known. `cpu_limit` and `memory_limit_mib`
    are 0 without a limit. If the CPU limit changed in between, `cpu_limit` is the higher one.
    """
    samples = evidence.resources.drop_duplicates([Column.SERVICE, Column.CONTAINER, Column.AT_US], keep="last")
    samples = samples[samples[Column.STATE] == "running"].sort_values([Column.SERVICE, Column.CONTAINER, Column.AT_US])
    samples = samples.assign(**{column: samples[column].where(samples[column] >= 0) for column in RATES})
    lives = samples.groupby([Column.SERVICE, Column.CONTAINER, Column.STARTED_US])
    grown = lives[[Column.AT_US, Column.CPU_US, Column.PERIODS, Column.THROTTLED_PERIODS, *RATES]].diff()
    limits = pd.concat([lives[Column.CPU_LIMIT].shift(), samples[Column.CPU_LIMIT]], axis=1)
    seconds = grown[Column.AT_US] / 1e6
    start_us = evidence.responses[Column.SENT_US].min() if len(evidence.responses) else samples[Column.AT_US].min()
    frame = pd.DataFrame(
        {
            Column.SERVICE: samples[Column.SERVICE],
            Column.CONTAINER: samples[Column.CONTAINER],
            Column.END_S: (samples[Column.AT_US] - start_us) / 1e6,
            Column.SECONDS: seconds,
            Column.CPU: grown[Column.CPU_US] / 1e6 / seconds,
            Column.CPU_LIMIT: limits.max(axis=1).where(limits.min(axis=1) > 0, 0.0),
            Column.PERIODS: grown[Column.PERIODS],
            Column.THROTTLED_PERIODS: grown[Column.THROTTLED_PERIODS],
            Column.MEMORY_MIB: samples[Column.MEMORY_BYTES] / MIB,
            Column.MEMORY_LIMIT_MIB: samples[Column.MEMORY_LIMIT_BYTES] / MIB,
        }
        | {name: grown[column] / MIB / seconds for column, name in RATES.items()}
    )
    return frame[seconds.notna()].reset_index(drop=True)


def usage(evidence: Evidence, intervals: pd.DataFrame) -> pd.DataFrame:
    """A row per service: CPU in cores and in seconds, memory in MiB, traffic in MiB, and answers per CPU second.

    Peaks are of samples, about a second apart. `throttled` is the share of 0.1 s periods in which the kernel throttled
    the service.
    """
    tags = counted(evidence.responses[Column.HOST_TAG])
    rows = [_usage(str(service), rows, tags) for service, rows in intervals.groupby(Column.SERVICE, sort=False)]
    return pd.DataFrame(rows).set_index(Column.SERVICE) if rows else pd.DataFrame()


def _usage(service: str, intervals: pd.DataFrame, answered: pd.Series) -> dict[str, object]:
    cpu_s = (intervals[Column.CPU] * intervals[Column.SECONDS]).sum()
    return {
        Column.SERVICE: service,
        Column.SECONDS: intervals.groupby(Column.CONTAINER)[Column.SECONDS].sum().max(),
        Column.CPU_S: cpu_s,
        Column.CPU_PEAK: intervals[Column.CPU].max(),
        Column.CPU_LIMIT: intervals[Column.CPU_LIMIT].min(),
        Column.THROTTLED: intervals[Column.THROTTLED_PERIODS].sum() / max(1, intervals[Column.PERIODS].sum()),
        Column.MEMORY_PEAK_MIB: intervals[Column.MEMORY_MIB].max(),
        Column.MEMORY_LIMIT_MIB: intervals[Column.MEMORY_LIMIT_MIB].min(),
        **{total: (intervals[rate] * intervals[Column.SECONDS]).sum(min_count=1) for rate, total in TOTALS.items()},
        Column.ANSWERED: int(answered.get(service, 0)),
        Column.ANSWERED_PER_CPU_S: answered[service] / cpu_s if service in answered and cpu_s else float("nan"),
    }
