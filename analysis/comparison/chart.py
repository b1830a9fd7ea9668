"""The picture of a comparison: every change with its interval, beside the band of what is no change."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis.charts.drawing.sheet import AXIS, EDGE, WIDTH, Box, grid, sheet
from analysis.charts.drawing.style import BAND, GREY, INK, Look, looks
from analysis.charts.drawing.text import shortened, widest, width_of
from analysis.comparison.words import percent
from scenarios.formats.columns import Column

HEAD, ROW, GAP, NAMES = 0.4, 0.36, 0.15, 2.5  # inches
NARROWEST, WIDEST = 1.25, 20.0  # ratios to which the scale reaches
STEPS = {1.6: (0.7, 0.8, 0.9, 1.1, 1.2, 1.3, 1.5), 3.0: (0.4, 0.6, 0.8, 1.25, 1.6, 2.4), np.inf: (1 / 16, 1 / 4, 4, 16)}


def comparison_figure(latency: pd.DataFrame, margin: float, answer: str) -> Figure:
    """By how much did latency change, backend by backend and stage by stage?"""
    tags = list(dict.fromkeys(latency.index.get_level_values(Column.HOST_TAG)))
    stages = list(dict.fromkeys(latency.index.get_level_values(Column.STAGE)))
    left = EDGE + widest([shortened(tag, NAMES) for tag in tags]) + GAP
    said_width = max(width_of(said(change), bold=True) for change in latency.to_dict("records"))
    panel = ROW * len(tags)
    figure = sheet(answer, EDGE + AXIS + len(stages) * (HEAD + panel))
    box = Box(left, EDGE + AXIS, WIDTH - left - said_width - 2 * GAP, len(stages) * (HEAD + panel) - HEAD)
    panels = grid(figure, box, len(stages), 1, (0.0, HEAD))
    for stage, axes in zip(stages, panels, strict=True):
        draw_changes(latency[latency.index.get_level_values(Column.STAGE) == stage], looks(tags), axes)
        axes.axvspan(1 / (1 + margin), 1 + margin, color=BAND, zorder=0)
        axes.set_title(f"stage {shortened(str(stage), box.width)}")
    scale(latency, panels[-1])
    return figure


def draw_changes(changes: pd.DataFrame, looks: Mapping[str, Look], axes: Axes) -> None:
    """A row per backend: a dot for the change, a line for its interval, and both in numbers at the right."""
    tags = list(changes.index.get_level_values(Column.HOST_TAG))
    for row, (tag, change) in enumerate(zip(tags, changes.to_dict("records"), strict=True)):
        if pd.notna(change[Column.RATIO]):
            colour, _, marker = looks[tag]
            axes.plot([change[Column.LOWEST], change[Column.HIGHEST]], [row, row], color=colour, linewidth=2.5)
            axes.plot([change[Column.RATIO]], [row], color=colour, marker=marker, markersize=8, zorder=3)
        axes.annotate(
            said(change),
            (1.0, row),
            xycoords=axes.get_yaxis_transform(),
            xytext=(72 * GAP, 0),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
            color=INK,
            fontweight="bold" if change["outcome"] in ("worse", "better") else "normal",
        )
    axes.axvline(1, color=GREY, linewidth=1)
    axes.set_yticks(range(len(changes)), [shortened(tag, NAMES) for tag in tags])
    axes.set_ylim(len(changes) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelcolor=INK)


def said(change: dict[Hashable, Any]) -> str:
    """A change in numbers."""
    if pd.isna(change[Column.RATIO]):
        return "too few answers"
    return f"{percent(change[Column.RATIO])}  ({percent(change[Column.LOWEST])} … {percent(change[Column.HIGHEST])})"


def scale(latency: pd.DataFrame, axes: Axes) -> None:
    """A logarithmic scale, as far to the left as to the right, in percent."""
    furthest = max([NARROWEST, *latency[Column.HIGHEST].dropna(), *(1 / latency[Column.LOWEST].dropna())])
    reach = min(1.05 * furthest, WIDEST)
    axes.set_xscale("log")
    axes.set_xlim(1 / reach, reach)
    steps = next(steps for limit, steps in STEPS.items() if reach <= limit)
    axes.xaxis.set_major_locator(FixedLocator([1.0, *(step for step in steps if 1 / reach <= step <= reach)]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
    axes.set_xlabel("change of median latency from A to B, with its interval; grey is no change")
