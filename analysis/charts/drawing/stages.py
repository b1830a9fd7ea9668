"""Stages of a run on an axis of time: every other one shaded, each with its name above its beginning."""

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from analysis.charts.drawing.style import GREY, PALE
from analysis.charts.drawing.text import shortened, width_of
from scenarios.formats.columns import Column

LINE = 0.21  # inches of a row of names
APART = 0.15


class Name(NamedTuple):
    """A stage's name, and its place in a row above the axes; row 0 is the lowest."""

    stage: str
    left: float  # inches from the axes' left end
    row: int


class Span(NamedTuple):
    """A stage from its beginning to its end, in seconds."""

    stage: str
    from_s: float
    until_s: float


def spans(timeline: pd.DataFrame) -> list[Span]:
    """The stages of a timeline, in their order."""
    ends = timeline.index + timeline[Column.SECONDS]
    order = timeline[Column.STAGE].drop_duplicates()
    return [
        Span(stage, timeline.index[timeline[Column.STAGE] == stage][0], ends[timeline[Column.STAGE] == stage].iloc[-1])
        for stage in order
    ]


def names(stages: list[Span], width: float) -> list[Name]:
    """The places of the names above axes of `width` inches: each in the lowest row that has room."""
    whole = max((stage.until_s for stage in stages), default=1.0)
    taken: list[float] = []
    placed = []
    for stage in stages:
        text = shortened(stage.stage, width)
        needed = width_of(text)
        left = min(width * stage.from_s / whole, width - needed)
        row = next((row for row, end in enumerate(taken) if end + APART <= left), len(taken))
        taken[row:] = [left + needed] if row == len(taken) else [left + needed, *taken[row + 1 :]]
        placed.append(Name(text, left, row))
    return placed


def height_of(placed: list[Name]) -> float:
    """The height of the names above the axes, in inches."""
    return LINE * (1 + max((name.row for name in placed), default=-1)) + 0.08


def shade(stages: list[Span], axes: Axes) -> None:
    """Draw a pale ground below every other stage, and a line at the beginning of each."""
    for number, stage in enumerate(stages):
        if number % 2 == 0:
            axes.axvspan(stage.from_s, stage.until_s, color=PALE, linewidth=0, zorder=0)
        if number:
            axes.axvline(stage.from_s, color=GREY, linewidth=0.6, linestyle=(0, (4, 4)), zorder=0.5)
    if stages:
        axes.set_xlim(0, stages[-1].until_s)


def write(placed: list[Name], axes: Axes, colour: str = GREY) -> None:
    """Write the names above the axes."""
    for name in placed:
        axes.annotate(
            name.stage, (0, 1), xycoords="axes fraction", xytext=(72 * name.left, 72 * (LINE * name.row + 0.05)),
            textcoords="offset points", va="bottom", color=colour,
        )  # fmt: skip
