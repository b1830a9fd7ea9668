"""Marks of faults and their cures on an axis of time: a line at each, with a label below or above it."""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from analysis.charts.drawing.stages import Name, Span, names
from analysis.charts.drawing.style import INK
from analysis.charts.drawing.text import shortened
from analysis.charts.drawing.words import listed
from scenarios.formats.columns import Column

NEAR = 1.0  # inches; marks of one kind that are closer share a label
NAMED = 3.4  # inches for the names of the targets
HALO = 2.8  # points


class Mark(NamedTuple):
    """One label for faults of one kind that follow each other closely."""

    kind: str
    targets: list[str]
    at_s: list[float]
    lost: float
    may_lose: float
    is_cure: bool

    @property
    def text(self) -> str:
        """The kind of the fault, its targets or how often it struck, and its cost."""
        targets = f" {shortened(listed(self.targets), NAMED)}" if any(self.targets) else ""
        times = f" {len(self.at_s)} times" if len(self.at_s) > len(set(self.targets)) else ""
        return f"{self.kind}{targets}{times}" + ("" if self.is_cure else f": {cost(self.lost, self.may_lose)}")


def cost(lost: float, may_lose: float) -> str:
    """How many requests were lost, and how many may be."""
    return f"lost {lost:,.0f}, at most {may_lose:,.0f}"


def marks(table: pd.DataFrame, until_s: float, width: float) -> list[Mark]:
    """The marks of a table (analysis.faults.course), in the order of their labels, for axes of `width` inches."""
    found: list[Mark] = []
    for kind, rows in table.groupby(Column.KIND, sort=False):
        for group in _near(rows, NEAR * until_s / width):
            tags = list(group[Column.BACKEND].drop_duplicates())
            sums = group[[Column.LOST, Column.MAY_LOSE]].sum()
            found.append(
                Mark(
                    str(kind),
                    tags,
                    list(group[Column.AT_S]),
                    sums[Column.LOST],
                    sums[Column.MAY_LOSE],
                    bool(group[Column.IS_CURE].all()),
                )
            )
    return sorted(found, key=lambda mark: mark.at_s[0])


def _near(rows: pd.DataFrame, seconds: float) -> Iterator[pd.DataFrame]:
    """Groups of rows that follow each other within so many seconds."""
    group = (rows[Column.AT_S].diff() > seconds).cumsum()
    yield from (together for _, together in rows.groupby(group))


def placed(found: list[Mark], until_s: float, width: float) -> list[Name]:
    """The places of the labels, computed as for the names of stages."""
    return names([Span(mark.text, mark.at_s[0], until_s) for mark in found], width)


def draw_marks(table: pd.DataFrame, axes: Axes, *, on_colours: bool) -> None:
    """Draw a solid line at each fault and a dotted one at each cure, with a white edge on a coloured ground."""
    for at_s, is_cure in zip(table[Column.AT_S], table[Column.IS_CURE], strict=True):
        if on_colours:
            axes.axvline(at_s, color="white", linewidth=HALO, zorder=3.5)
        axes.axvline(at_s, color=INK, linewidth=1.4, linestyle=":" if is_cure else "-", zorder=3.6)
