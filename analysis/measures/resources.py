"""The resources that the services used, from samples of running totals: between samples, and per service."""

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.evidence.request_rows import counted

MIB = 2**20
RATES = {"received_bytes": "received", "sent_bytes": "sent", "read_bytes": "read", "written_bytes": "written"}


def intervals(evidence: Evidence) -> pd.DataFrame:
    """A row per interval between two successive samples of a container that did not restart in between.

    `end_s` is the interval's end in seconds since the first request, `seconds` its length. `cpu` is in cores. The
    container was throttled in `throttled_periods` of its `periods`. `memory_mib` is its memory at the end. `received`,
    `sent`, `read` and `written` are in MiB per second, not a number if not known. `cpu_limit` and `memory_limit_mib`
    are 0 without a limit. If the CPU limit changed in between, `cpu_limit` is the higher one.
    """
    samples = evidence.resources.drop_duplicates(["service", "container", "at_us"], keep="last")
    samples = samples[samples["state"] == "running"].sort_values(["service", "container", "at_us"])
    samples = samples.assign(**{column: samples[column].where(samples[column] >= 0) for column in RATES})
    lives = samples.groupby(["service", "container", "started_us"])
    grown = lives[["at_us", "cpu_us", "periods", "throttled_periods", *RATES]].diff()
    limits = pd.concat([lives["cpu_limit"].shift(), samples["cpu_limit"]], axis=1)
    seconds = grown["at_us"] / 1e6
    start_us = evidence.responses["sent_us"].min() if len(evidence.responses) else samples["at_us"].min()
    frame = pd.DataFrame(
        {
            "service": samples["service"],
            "container": samples["container"],
            "end_s": (samples["at_us"] - start_us) / 1e6,
            "seconds": seconds,
            "cpu": grown["cpu_us"] / 1e6 / seconds,
            "cpu_limit": limits.max(axis=1).where(limits.min(axis=1) > 0, 0.0),
            "periods": grown["periods"],
            "throttled_periods": grown["throttled_periods"],
            "memory_mib": samples["memory_bytes"] / MIB,
            "memory_limit_mib": samples["memory_limit_bytes"] / MIB,
        }
        | {name: grown[column] / MIB / seconds for column, name in RATES.items()}
    )
    return frame[seconds.notna()].reset_index(drop=True)


def usage(evidence: Evidence, intervals: pd.DataFrame) -> pd.DataFrame:
    """A row per service: CPU in cores and in seconds, memory in MiB, traffic in MiB, and answers per CPU second.

    Peaks are of samples, about a second apart. `throttled` is the share of 0.1 s periods in which the kernel throttled
    the service.
    """
    tags = counted(evidence.responses["host_tag"])
    rows = [_usage(str(service), rows, tags) for service, rows in intervals.groupby("service", sort=False)]
    return pd.DataFrame(rows).set_index("service") if rows else pd.DataFrame()


def _usage(service: str, intervals: pd.DataFrame, answered: pd.Series) -> dict[str, object]:
    cpu_s = (intervals["cpu"] * intervals["seconds"]).sum()
    return {
        "service": service,
        "seconds": intervals.groupby("container")["seconds"].sum().max(),
        "cpu_s": cpu_s,
        "cpu_peak": intervals["cpu"].max(),
        "cpu_limit": intervals["cpu_limit"].min(),
        "throttled": intervals["throttled_periods"].sum() / max(1, intervals["periods"].sum()),
        "memory_peak_mib": intervals["memory_mib"].max(),
        "memory_limit_mib": intervals["memory_limit_mib"].min(),
        **{f"{name}_mib": (intervals[name] * intervals["seconds"]).sum(min_count=1) for name in RATES.values()},
        "answered": int(answered.get(service, 0)),
        "answered_per_cpu_s": answered[service] / cpu_s if service in answered and cpu_s else float("nan"),
    }
