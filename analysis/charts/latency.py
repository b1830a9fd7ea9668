"""The picture of latency: how long did answers take, backend by backend and stage by stage?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.charts.drawing.scales import draw_no_answer, milliseconds, ruled
from analysis.charts.drawing.sheet import EDGE, WIDTH, Box, grid, named, say, sheet
from analysis.charts.drawing.style import GREY, Look, looks
from analysis.charts.drawing.text import shortened
from analysis.charts.drawing.words import duration, name_of
from analysis.measures.statistics import ALL
from scenarios.formats.columns import Column

TICKS = (50.0, 90.0, 99.0, 99.9, 99.99)
COLUMNS = 3
ROW = 2.6  # inches
LEFT, ABOVE, GAP = 0.95, 0.32, (0.35, 0.65)
FLOOR = 0.12  # nines: the scale ignores the fastest quarter of the answers


def latency_figure(percentiles: pd.DataFrame, latency: pd.DataFrame, stages: list[str], backends: list[str]) -> Figure:
    """Draw a panel per stage with a curve per backend."""
    lines = looks(backends)
    legend, handles = named({tag: line_of(look) for tag, look in lines.items()}, WIDTH - LEFT - EDGE)
    columns = min(COLUMNS, len(stages))
    rows = -(-len(stages) // columns)
    box = Box(LEFT, legend.room, WIDTH - LEFT - 0.4, rows * ROW + (rows - 1) * GAP[1])
    figure = sheet(answer(latency, stages), box.bottom + box.height + ABOVE)
    panels = grid(figure, box, len(stages), columns, GAP)
    for stage, axes in zip(stages, panels, strict=True):
        draw_curves(percentiles[percentiles[Column.STAGE] == stage], Column.HOST_TAG, lines, axes)
        axes.set_title(shortened(f"stage {stage}", (box.width - GAP[0] * (columns - 1)) / columns))
    share_scale(panels)
    say(figure, EDGE, box.bottom + box.height / 2, "latency in ms", rotation=90, va="center", color=GREY)
    say(figure, LEFT, EDGE + legend.height + 0.11, "share of the answers that came within this latency", color=GREY)
    legend.draw(figure, handles, LEFT, EDGE)
    return figure


def draw_curves(percentiles: pd.DataFrame, by: str, lines: Mapping[str, Look], axes: Axes) -> None:
    """Draw a line per value of the column `by`, over percentiles spaced by their number of nines."""
    for name, rows in percentiles.groupby(by, sort=False):
        if name in lines:
            nines = -np.log10(1 - rows[Column.PERCENTILE] / 100)
            look = lines[str(name)]
            axes.plot(nines, rows[Column.LATENCY_MS], color=look.colour, linestyle=look.line, linewidth=1.8)
            axes.plot(
                nines.iloc[-1:], rows[Column.LATENCY_MS].iloc[-1:], color=look.colour, marker=look.marker, markersize=5
            )
    if not axes.lines:
        draw_no_answer(axes)
    ruled(axes)


def share_scale(panels: list[Axes]) -> None:
    """Give every panel the same scales, wide enough for all curves; only the left panels have numbers at y."""
    drawn = [line for axes in panels for line in axes.lines]
    if not drawn:
        return
    highest = max(float(np.max(line.get_xdata())) for line in drawn)
    values = np.concatenate([_shown(line) for line in drawn])
    low, high = max(float(values.min()), 1e-3), max(float(values.max()), 1e-3)
    for number, axes in enumerate(panels):
        axes.set_ylim(low / 1.3, high * 1.4)
        milliseconds(axes)
        axes.set_xlim(0, 1.03 * max(highest, 0.5))
        ticks = [tick for tick in TICKS if -np.log10(1 - tick / 100) <= 1.03 * max(highest, 0.5)]
        axes.set_xticks([-np.log10(1 - tick / 100) for tick in ticks], [f"p{tick:g}" for tick in ticks])
        axes.tick_params(labelleft=number % COLUMNS == 0)


def _shown(line: Line2D) -> np.ndarray:
    nines, ms = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    shown: np.ndarray = ms[nines >= min(FLOOR, nines.max())]
    return shown


def line_of(look: Look) -> Line2D:
    """Make a line of this look for a legend."""
    return Line2D([], [], color=look.colour, linestyle=look.line, marker=look.marker, markersize=5, linewidth=1.8)


def answer(latency: pd.DataFrame, stages: list[str]) -> str:
    """The title: the time within which 99 % of the answers came."""
    if latency.empty:
        return "No request was answered, so there is no latency"
    p99 = latency[Column.P99_MS].xs(ALL, level=Column.HOST_TAG).reindex(stages).dropna()
    if len(stages) == 1:
        return f"99 % of the answers came within {duration(p99.iloc[0])}"
    return "99 % of the answers came within " + ", ".join(
        f"{duration(value)} in {name_of(stage)}" for stage, value in p99.items()
    )
