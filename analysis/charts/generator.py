"""The picture of the generator: did it produce the load, and how much of the measured latency is its own?"""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.charts.drawing.scales import plain, ruled
from analysis.charts.drawing.sheet import EDGE, WIDTH, Box, named, place, say, sheet
from analysis.charts.drawing.style import ALARM, GREY, INK, SLATE
from analysis.charts.drawing.thinning import thin
from analysis.charts.drawing.words import duration
from analysis.measures.generator import LOOP_LAG, OWN_SHARE
from scenarios.formats.columns import Column

LINES: dict[str, tuple[str, dict[str, Any]]] = {
    Column.USERS: ("users", {"color": SLATE[2], "linewidth": 4.0}),
    Column.CONNECTIONS: ("open connections", {"color": SLATE[1], "linewidth": 2.0}),
    Column.IN_FLIGHT: ("requests in flight", {"color": INK, "linewidth": 1.2}),
}
ASKED: dict[str, Any] = {"color": ALARM, "linewidth": 1.2, "linestyle": "--"}
LEFT, BELOW = 0.95, 0.96
ROOM = WIDTH - LEFT - 0.3
HEIGHTS = (2.4, 1.1, 1.1)  # from the top
GAP = 0.3
LEAST = 0.01  # ms or cores; the scale ends no lower


def generator_figure(
    totals: pd.DataFrame, asked: pd.Series, samples: pd.DataFrame, overhead: pd.DataFrame, peak: int
) -> Figure:
    """Draw `totals` and `asked` by time in seconds, and `samples` with `at_s`, `lag_ms` and `cpu` in cores per process.

    `peak` is the most users that the scenario asks for.
    """
    height = BELOW + sum(HEIGHTS) + 2 * GAP
    figure = sheet(answer(totals, overhead, peak), height + 0.1)
    bottoms = [height - HEIGHTS[0], BELOW + HEIGHTS[2] + GAP, BELOW]
    counts = place(figure, Box(LEFT, bottoms[0], ROOM, HEIGHTS[0]))
    lag, cpu = (place(figure, Box(LEFT, bottoms[row], ROOM, HEIGHTS[row]), sharex=counts) for row in (1, 2))
    draw_totals(totals, asked, counts)
    draw_by_process(samples, Column.LAG_MS, lag)
    draw_by_process(samples, Column.CPU, cpu)
    for axes in (counts, lag):
        axes.tick_params(labelbottom=False)
    plain(counts, "x", ticks=8)
    counts.set_xlim(min(0.0, totals.index[0]), max(totals.index[-1], totals.index[0] + 1e-3))
    cpu.set_xlabel("seconds since the first request")
    for bottom, high, text in zip(bottoms, HEIGHTS, ("count", "loop lag in ms", "CPU in cores"), strict=True):
        say(figure, EDGE, bottom + high / 2, text, rotation=90, va="center", color=GREY)
    legend, handles = named(
        {"users asked for": Line2D([], [], **ASKED)}
        | {label: Line2D([], [], **line) for label, line in LINES.values()},
        ROOM,
    )
    legend.draw(figure, handles, LEFT, EDGE)
    return figure


def draw_totals(totals: pd.DataFrame, asked: pd.Series, axes: Axes) -> None:
    """Draw users, connections and requests in flight against the users asked for."""
    for column, (_, line) in LINES.items():
        axes.plot(*thin(totals.index.to_numpy(), totals[column].to_numpy()), drawstyle="steps-post", **line)
    axes.plot(*thin(asked.index.to_numpy(), asked.to_numpy()), drawstyle="steps-post", **ASKED)
    axes.set_ylim(0, 1.08 * max(1, asked.max(), totals[list(LINES)].max(axis=None)))
    plain(axes, "y", ticks=4, whole=True)
    ruled(axes)


def draw_by_process(samples: pd.DataFrame, column: str, axes: Axes) -> None:
    """Draw a line per process."""
    for _, rows in samples.groupby(Column.PROCESS, sort=False):
        at_s, values = thin(rows[Column.AT_S].to_numpy(), rows[column].to_numpy(dtype="float64"))
        axes.plot(at_s, values, drawstyle="steps-pre", color=GREY, linewidth=1.0)
    axes.set_ylim(0, 1.1 * max(LEAST, samples[column].max()))
    plain(axes, "y", ticks=3)
    ruled(axes)


def answer(totals: pd.DataFrame, overhead: pd.DataFrame, peak: int) -> str:
    """The title: the load of the generator, and the latency that it added."""
    had = (
        f"{totals[Column.USERS].max():,} of {peak:,} users "
        f"and up to {totals[Column.IN_FLIGHT].max():,} requests in flight"
    )
    measure = OWN_SHARE if OWN_SHARE in overhead.index else LOOP_LAG
    if measure not in overhead.index:
        return f"The generator had {had}"
    name = "its own share of latency" if measure == OWN_SHARE else "its event loop lag"
    p50, p99 = (duration(overhead[column][measure]) for column in (Column.P50_MS, Column.P99_MS))
    return f"The generator had {had}; {name}: p50 {p50}, p99 {p99}"
