"""Pictures of what the services used: one per resource, a panel per service, its limit drawn in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.pictures.style import BAND, GREY, give_title

LIMIT_COLOUR = "#B00020"
STYLES = ("-", ":")
HEADROOM = 1.15
NEAR = 0.9  # of a limit


@dataclass(frozen=True)
class Measure:
    """What a picture shows: columns of the intervals with their names in the legend, and the limit's column, if any."""

    label: str
    lines: Mapping[str, str]
    limit: str | None = None


CPU = Measure("CPU in cores", {"cpu": "used"}, "cpu_limit")
MEMORY = Measure("memory in MiB", {"memory_mib": "used"}, "memory_limit_mib")
NETWORK = Measure("network in MiB/s", {"received": "received", "sent": "sent"})
DISK = Measure("disk in MiB/s", {"read": "read", "written": "written"})


def resource_figures(
    intervals: pd.DataFrame, usage: pd.DataFrame, palette: Mapping[str, str]
) -> Iterator[tuple[str, Figure]]:
    """A name and a figure for each resource that was measured."""
    for name, resource, answer in (
        ("cpu", CPU, _cpu_answer),  # who ran out of CPU?
        ("memory", MEMORY, _memory_answer),  # who came near its limit of memory?
        ("network", NETWORK, _network_answer),  # how much went over the network?
        ("disk", DISK, _disk_answer),  # how much went to the disk?
    ):
        if intervals[list(resource.lines)].notna().any(axis=None):
            yield name, _figure(resource, intervals, palette, answer(usage))


def _figure(resource: Measure, intervals: pd.DataFrame, palette: Mapping[str, str], answer: str) -> Figure:
    services = list(intervals["service"].unique())
    figure, panels = plt.subplots(
        1, len(services), figsize=(1.2 + 2.5 * len(services), 3.4), sharex=True, squeeze=False, layout="constrained"
    )
    for service, axes in zip(services, panels[0], strict=True):
        of_service = intervals[intervals["service"] == service]
        draw_use(of_service, resource.lines, palette.get(service, GREY), axes)
        limit = float(of_service[resource.limit].max()) if resource.limit else 0.0
        if limit:
            draw_limit(limit, axes)
        highest = max(limit, float(of_service[list(resource.lines)].max(axis=None)))
        axes.set_ylim(0, HEADROOM * highest if highest else 1.0)
        axes.set_title(f"{service}, limit {limit:,g}" if limit else service)
    panels[0][0].set_ylabel(resource.label)
    figure.supxlabel("seconds since the first request", fontsize=10, color=GREY)
    if len(resource.lines) > 1:
        drawn, named = panels[0][-1].get_legend_handles_labels()
        figure.legend(drawn[:2], named[:2], loc="outside lower right", ncols=2, fontsize=10)
    give_title(figure, answer)
    return figure


def draw_use(of_service: pd.DataFrame, lines: Mapping[str, str], colour: str, axes: Axes) -> None:
    """One line per column over the time, level between two samples; replicas of a service each have theirs."""
    for _, rows in of_service.groupby("container"):
        starts = [rows["end_s"].iloc[0] - rows["seconds"].iloc[0], *rows["end_s"]]
        for (column, label), style in zip(lines.items(), STYLES, strict=False):
            axes.stairs(rows[column], starts, baseline=None, color=colour, linestyle=style, linewidth=1.8, label=label)
    axes.grid(axis="y", color=BAND, linewidth=0.8)
    axes.set_axisbelow(True)


def draw_limit(limit: float, axes: Axes) -> None:
    """The most that the service may use."""
    axes.axhline(limit, color=LIMIT_COLOUR, linestyle="--", linewidth=1.2)


def _cpu_answer(usage: pd.DataFrame) -> str:
    limited = usage[usage["cpu_limit"] > 0]
    if limited.empty:
        busiest = str(usage["cpu_s"].idxmax())
        return f"{busiest} used most CPU, {usage['cpu_s'].max():,.1f} s; nothing limits it on this stack"
    waited = limited["throttled"]
    worst = str(waited.idxmax())
    if not waited.max():
        return "Nobody ran out of CPU"
    return f"{worst} was held at its CPU limit most often, in {waited.max():.0%} of the periods"


def _memory_answer(usage: pd.DataFrame) -> str:
    limited = usage[usage["memory_limit_mib"] > 0]
    if limited.empty:
        fattest = str(usage["memory_peak_mib"].idxmax())
        return f"{fattest} had most memory, {usage['memory_peak_mib'].max():,.0f} MiB; nothing limits it on this stack"
    share = limited["memory_peak_mib"] / limited["memory_limit_mib"]
    verb = "came near its limit of memory" if share.max() > NEAR else "came nearest to its limit of memory"
    return f"{share.idxmax()} {verb}, with {share.max():.0%} of it"


def _network_answer(usage: pd.DataFrame) -> str:
    received, sent = usage["received_mib"], usage["sent_mib"]
    most = str((received + sent).idxmax())
    return f"Most went through {most}: {received[most]:,.1f} MiB received, {sent[most]:,.1f} MiB sent"


def _disk_answer(usage: pd.DataFrame) -> str:
    read, written = usage["read_mib"], usage["written_mib"]
    most = str((read + written).idxmax())
    if not (read + written).max():
        return "Nobody used the disk"
    return f"{most} used the disk most: {read[most]:,.1f} MiB read, {written[most]:,.1f} MiB written"
