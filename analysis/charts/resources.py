"""Pictures of what the services used: one per resource, with a panel and a limit per service."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.charts.drawing.scales import number, plain, ruled
from analysis.charts.drawing.sheet import EDGE, WIDTH, Box, grid, named, say, sheet
from analysis.charts.drawing.style import ALARM, GREY, INK
from analysis.charts.drawing.text import shortened, widest, width_of
from analysis.charts.drawing.thinning import thin
from analysis.charts.drawing.words import name_of
from scenarios.formats.columns import Column

STYLES: tuple[Any, ...] = ("-", ":")
HEADROOM = 1.15
LEAST = 0.01  # cores or MiB; the scale ends no lower
NEAR = 0.9  # of a limit
COLUMNS = 4
ROW, LEFT, ABOVE, GAP = 1.75, 0.95, 0.32, (0.62, 0.5)


@dataclass(frozen=True)
class Measure:
    """What a picture shows: columns of the intervals with their names in the legend, and the column of the limit."""

    label: str
    lines: Mapping[str, str]
    limit: str | None = None


CPU = Measure("CPU in cores", {Column.CPU: "used"}, Column.CPU_LIMIT)
MEMORY = Measure("memory in MiB", {Column.MEMORY_MIB: "used"}, Column.MEMORY_LIMIT_MIB)
NETWORK = Measure("network in MiB/s", {Column.RECEIVED: "received", Column.SENT: "sent"})
DISK = Measure("disk in MiB/s", {Column.READ: "read", Column.WRITTEN: "written"})


def resource_figures(
    intervals: pd.DataFrame, usage: pd.DataFrame, palette: Mapping[str, str]
) -> Iterator[tuple[str, Figure]]:
    """Draw a figure for each resource that was measured; yield its name and the figure."""
    for name, resource, answer in (
        ("cpu", CPU, cpu_answer),  # which service was throttled?
        ("memory", MEMORY, memory_answer),  # which service came close to its memory limit?
        ("network", NETWORK, network_answer),  # how much went over the network?
        ("disk", DISK, disk_answer),  # how much went to the disk?
    ):
        if intervals[list(resource.lines)].notna().any(axis=None):
            yield name, _figure(resource, intervals, palette, answer(usage))


def _figure(resource: Measure, intervals: pd.DataFrame, palette: Mapping[str, str], answer: str) -> Figure:
    services = list(intervals[Column.SERVICE].unique())
    rows = -(-len(services) // COLUMNS)
    columns = -(-len(services) // rows)
    limited = bool(resource.limit) and bool((intervals[resource.limit] > 0).any())
    legend, handles = named(_meanings(resource, limited=limited), WIDTH - LEFT)
    shown = legend.height + 0.08 if len(handles) > 1 else 0.0
    box = Box(LEFT, 0.62 + shown, WIDTH - LEFT - 0.3, rows * ROW + (rows - 1) * GAP[1])
    figure = sheet(answer, box.bottom + box.height + ABOVE)
    width = (box.width - GAP[0] * (columns - 1)) / columns
    for service, axes in zip(services, grid(figure, box, len(services), columns, GAP), strict=True):
        of_service = intervals[intervals[Column.SERVICE] == service]
        limit = float(of_service[resource.limit].max()) if resource.limit else 0.0
        draw_use(of_service, resource.lines, palette.get(service, GREY), axes)
        highest = _highest(of_service if limited else intervals, resource)
        axes.set_ylim(0, HEADROOM * highest)
        plain(axes, "y", ticks=3)
        plain(axes, "x", ticks=3)
        if limit:
            draw_limit(limit, axes)
        may = f", limit {limit:,.4g}" if limit else ""
        axes.set_title(shortened(service, width - width_of(may)) + may)
    middle = box.bottom + box.height / 2
    say(figure, EDGE, middle, resource.label, rotation=90, va="center", color=GREY)
    say(figure, LEFT, EDGE + shown, "seconds since the first request", color=GREY)
    if shown:
        legend.draw(figure, handles, LEFT, EDGE)
    return figure


def _highest(intervals: pd.DataFrame, resource: Measure) -> float:
    """The end of the scale. Services without limits share one, so that a reader can compare them."""
    columns = [*resource.lines, *([resource.limit] if resource.limit else [])]
    return float(np.nanmax(intervals[columns].to_numpy(dtype="float64"), initial=LEAST))


def _meanings(resource: Measure, *, limited: bool) -> dict[str, Line2D]:
    lines = {
        label: Line2D([], [], color=GREY, linestyle=style, linewidth=1.8)
        for label, style in zip(resource.lines.values(), STYLES, strict=False)
    }
    return lines | ({"limit": Line2D([], [], color=ALARM, linestyle="--", linewidth=1.2)} if limited else {})


def draw_use(of_service: pd.DataFrame, lines: Mapping[str, str], colour: str, axes: Axes) -> None:
    """Draw a line per column and replica over time, level between two samples."""
    for _, rows in of_service.groupby(Column.CONTAINER):
        ends = rows[Column.END_S].to_numpy()
        moments = np.append(ends[0] - rows[Column.SECONDS].iloc[0], ends)
        for column, style in zip(lines, STYLES, strict=False):
            values = rows[column].to_numpy()
            at_s, level = thin(moments, np.append(values[0], values))
            axes.plot(at_s, level, drawstyle="steps-pre", color=colour, linestyle=style, linewidth=1.8)
    ruled(axes)


def draw_limit(limit: float, axes: Axes) -> None:
    """Draw the limit of the service."""
    axes.axhline(limit, color=ALARM, linestyle="--", linewidth=1.2)


def cpu_answer(usage: pd.DataFrame) -> str:
    """The title: the service that was throttled most often, or that used the most CPU."""
    limited = usage[usage[Column.CPU_LIMIT] > 0]
    if limited.empty:
        busiest = usage[Column.CPU_S].idxmax()
        return f"{name_of(busiest)} used the most CPU, {usage[Column.CPU_S].max():,.1f} s; this stack sets no limit"
    waited = limited[Column.THROTTLED]
    if not waited.max():
        return "No service was throttled at its CPU limit"
    share = f"{100 * waited.max():.{0 if waited.max() >= 0.01 else 2}f} %"
    return f"{name_of(waited.idxmax())} was throttled at its CPU limit most often, in {share} of the periods"


def memory_answer(usage: pd.DataFrame) -> str:
    """The title: the service that came closest to its memory limit, or that used the most memory."""
    limited = usage[usage[Column.MEMORY_LIMIT_MIB] > 0]
    if limited.empty:
        most = usage[Column.MEMORY_PEAK_MIB]
        return f"{name_of(most.idxmax())} used the most memory, {most.max():,.0f} MiB; this stack sets no limit"
    share = limited[Column.MEMORY_PEAK_MIB] / limited[Column.MEMORY_LIMIT_MIB]
    verb = "came close to its memory limit" if share.max() > NEAR else "came closest to its memory limit"
    return f"{name_of(share.idxmax())} {verb}, with {100 * share.max():.0f} % of it"


def network_answer(usage: pd.DataFrame) -> str:
    """The title: the service with the most network traffic."""
    received, sent = usage[Column.RECEIVED_MIB], usage[Column.SENT_MIB]
    most = str((received + sent).idxmax())
    return f"{name_of(most)} had the most traffic: {received[most]:,.1f} MiB received, {sent[most]:,.1f} MiB sent"


def disk_answer(usage: pd.DataFrame) -> str:
    """The title: the service that used the disk most."""
    read, written = usage[Column.READ_MIB], usage[Column.WRITTEN_MIB]
    most = str((read + written).idxmax())
    if not (read + written).max():
        return "No service used the disk"
    return f"{name_of(most)} used the disk most: {read[most]:,.1f} MiB read, {written[most]:,.1f} MiB written"


def draw_peaks(  # noqa: PLR0913, PLR0917 - columns, colours and place
    usage: pd.DataFrame, peak: str, limit: str, palette: Mapping[str, str], width: float, axes: Axes
) -> None:
    """Draw a bar per service for its peak use; `width` is in inches.

    Where there are limits, a bar is the share of its limit, with a mark at the limit; a service without one has no bar.
    """
    limited = usage[limit] > 0
    lengths = (usage[peak] / usage[limit].where(limited)).fillna(0.0) if limited.any() else usage[peak]
    rows, texts = range(len(usage)), list[str]()
    axes.barh(rows, lengths, color=[palette.get(str(service), GREY) for service in usage.index], height=0.66)
    for row, (length, used, may) in enumerate(zip(lengths, usage[peak], usage[limit], strict=True)):
        if may > 0:
            axes.plot([1, 1], [row - 0.42, row + 0.42], color=ALARM, linewidth=2.0)
        text = number(float(f"{used:.2g}" if used < 1 else f"{used:.3g}")) + (
            f" of {number(may)}" if may > 0 else ", no limit" if any(limited) else ""
        )
        texts.append(text)
        end = max(length, float(may > 0))
        axes.annotate(text, (end, row), xytext=(5, 0), textcoords="offset points", va="center", color=INK)
    most = max(float(np.nanmax(lengths, initial=0.0)), float(limited.any()))
    axes.set_xlim(0, (most or 1.0) * width / max(0.3 * width, width - widest(texts) - 0.15))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_ylim(len(usage) - 0.5, -0.5)
