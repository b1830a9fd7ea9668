"""Pictures over time: latency and throughput."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.charts.drawing.scales import draw_no_answer, milliseconds, plain, ruled
from analysis.charts.drawing.sheet import EDGE, WIDTH, Box, named, place, say, sheet
from analysis.charts.drawing.stages import height_of, names, shade, spans, write
from analysis.charts.drawing.style import ALARM, GREY, INK, SLATE
from analysis.charts.drawing.words import duration, name_of
from scenarios.formats.columns import Column

LEFT, RIGHT = 0.95, 0.3
BELOW = 0.95
ROOM = WIDTH - LEFT - RIGHT
SECONDS = "seconds since the first request"


def latency_over_time_figure(timeline: pd.DataFrame) -> Figure:
    """Draw the latency over time: when did answers take long?"""
    stages = spans(timeline)
    placed = names(stages, ROOM)
    figure = sheet(latency_answer(timeline), BELOW + 3.4 + height_of(placed))
    axes = place(figure, Box(LEFT, BELOW, ROOM, 3.4))
    shade(stages, axes)
    draw_latency(timeline, axes)
    write(placed, axes)
    axes.set_xlabel(SECONDS)
    say(figure, EDGE, BELOW + 1.7, "latency in ms", rotation=90, va="center", color=GREY)
    _key(
        figure,
        {
            "p50": Line2D([], [], color=SLATE[2], linewidth=2.4),
            "p99": Line2D([], [], color=INK, linewidth=1.6),
            f"slowest of each {timeline[Column.SECONDS].max():g} s": Line2D(
                [], [], color=ALARM, marker=".", markersize=5, linestyle="none"
            ),
        },
    )
    return figure


def draw_latency(timeline: pd.DataFrame, axes: Axes) -> None:
    """Draw the percentiles of each stretch of time as lines and the slowest answers as dots; gaps mean no answer."""
    edges = _edges(timeline)
    axes.stairs(timeline[Column.P50_MS], edges, baseline=None, color=SLATE[2], linewidth=2.4)
    axes.stairs(timeline[Column.P99_MS], edges, baseline=None, color=INK, linewidth=1.6)
    axes.plot(
        (edges[:-1] + edges[1:]) / 2, timeline[Column.MAX_MS], linestyle="none", marker=".", markersize=5, color=ALARM
    )
    if timeline[Column.MAX_MS].notna().any():
        low, high = (
            max(1e-3, float(value)) for value in (timeline[Column.P50_MS].min(), timeline[Column.MAX_MS].max())
        )
        axes.set_ylim(low / 1.5, high * 1.5)
        milliseconds(axes)
    else:
        draw_no_answer(axes)
    plain(axes, "x", ticks=8)
    ruled(axes)


def throughput_figure(timeline: pd.DataFrame, lasted_s: float) -> Figure:
    """Draw the throughput over time: how much was answered, and how many users asked for it?"""
    stages = spans(timeline)
    placed = names(stages, ROOM)
    figure = sheet(throughput_answer(timeline, lasted_s), BELOW + 4.1 + height_of(placed))
    users = place(figure, Box(LEFT, BELOW, ROOM, 1.2))
    rates = place(figure, Box(LEFT, BELOW + 1.5, ROOM, 2.6), sharex=users)
    for axes in (rates, users):
        shade(stages, axes)
    draw_rates(timeline, rates)
    draw_users(timeline, users)
    write(placed, rates)
    rates.tick_params(labelbottom=False)
    users.set_xlabel(SECONDS)
    say(figure, EDGE, BELOW + 1.5 + 1.3, "requests per second", rotation=90, va="center", color=GREY)
    say(figure, EDGE, BELOW + 0.6, "users", rotation=90, va="center", color=GREY)
    _key(
        figure,
        {
            "answered": Patch(color=SLATE[2]),
            "sent": Line2D([], [], color=INK, linewidth=1.2),
            "failed": Patch(color=ALARM),
        },
    )
    return figure


def draw_rates(timeline: pd.DataFrame, axes: Axes) -> None:
    """Draw the answered requests as an area, the failed ones in front of it, and the sent ones as a line."""
    edges = _edges(timeline)
    axes.stairs(timeline[Column.ANSWERED_PER_S], edges, fill=True, color=SLATE[2])
    axes.stairs(timeline[Column.FAILED_PER_S], edges, fill=True, color=ALARM)
    axes.stairs(timeline[Column.SENT_PER_S], edges, baseline=None, color=INK, linewidth=1.2)
    rates = timeline[[Column.ANSWERED_PER_S, Column.FAILED_PER_S, Column.SENT_PER_S]].to_numpy()
    highest = float(rates.max(initial=0.0))
    axes.set_ylim(0, 1.08 * highest if highest > 0 else 1.0)
    plain(axes, "y", ticks=4)
    plain(axes, "x", ticks=8)
    ruled(axes)


def draw_users(timeline: pd.DataFrame, axes: Axes) -> None:
    """Draw the number of users."""
    users = timeline[Column.USERS].astype("float64").to_numpy()
    axes.stairs(users, _edges(timeline), baseline=None, color=INK, linewidth=1.6)
    most = float(np.nanmax(users, initial=0.0))
    axes.set_ylim(0, 1.12 * most if most > 0 else 1.0)
    plain(axes, "y", ticks=3, whole=True)
    ruled(axes)


def latency_answer(timeline: pd.DataFrame) -> str:
    """The title: when latency was highest."""
    p99 = timeline[Column.P99_MS].dropna()
    if p99.empty:
        return "No request was answered, so there is no latency"
    place = int(p99.argmax())
    at_s, highest = float(p99.index[place]), float(p99.iloc[place])
    stage = f" in stage {name_of(timeline[Column.STAGE].loc[at_s])}" if timeline[Column.STAGE].nunique() > 1 else ""
    when = f"{at_s:,g} s after the start" if at_s else "right at the start"
    return f"Latency was highest {when}{stage}, with a p99 of {duration(highest)}"


def throughput_answer(timeline: pd.DataFrame, lasted_s: float) -> str:
    """The title: how much was answered per second, and whether a request failed."""
    sent, answered, failed = (int(timeline[name].sum()) for name in (Column.SENT, Column.ANSWERED, Column.FAILED))
    if not sent:
        return "No request was sent"
    if not answered:
        return f"All {sent:,} requests failed" if sent > 1 else "The only request failed"
    faults = f"{failed:,} of {sent:,} requests failed" if failed else "no request failed"
    rate = answered / max(lasted_s, 1e-6)
    return f"{rate:,.0f} answers per second on average; {faults}" if rate >= 10 else f"{answered:,} answered; {faults}"


def _edges(timeline: pd.DataFrame) -> np.ndarray:
    ends = timeline.index.to_numpy(dtype="float64") + timeline[Column.SECONDS].to_numpy()
    return np.append(timeline.index.to_numpy(dtype="float64")[:1], ends) if len(ends) else np.array([0.0])


def _key(figure: Figure, meanings: dict[str, Line2D | Patch]) -> None:
    legend, handles = named(meanings, ROOM)
    legend.draw(figure, handles, LEFT, EDGE)
