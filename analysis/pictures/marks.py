"""What was done to a run, along an axis of time: a line where it was done, and a label below or above it."""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from analysis.pictures.stages import Name, Span, names
from analysis.pictures.style import INK
from analysis.pictures.text import shortened
from analysis.pictures.words import listed

NEAR = 1.0  # inches; marks of the same kind that are nearer than that share a label
NAMED = 3.4  # inches for those to whom it was done
HALO = 2.8  # points


class Mark(NamedTuple):
    """One label, for everything of one kind that was done in a row."""

    what: str
    whom: list[str]
    at_s: list[float]
    lost: float
    may_lose: float
    is_cure: bool

    @property
    def text(self) -> str:
        """What was done, to whom or how often, and how much it cost."""
        whom = f" {shortened(listed(self.whom), NAMED)}" if any(self.whom) else ""
        times = f" {len(self.at_s)} times" if len(self.at_s) > len(set(self.whom)) else ""
        return f"{self.what}{whom}{times}" + ("" if self.is_cure else f": {cost(self.lost, self.may_lose)}")


def cost(lost: float, may_lose: float) -> str:
    """How many were lost, of how many that may be."""
    return f"lost {lost:,.0f}, at most {may_lose:,.0f}"


def marks(table: pd.DataFrame, until_s: float, width: float) -> list[Mark]:
    """What was done (analysis.faults.course), in the order of its labels, for axes of this width in inches."""
    found: list[Mark] = []
    for what, rows in table.groupby("what", sort=False):
        for group in _near(rows, NEAR * until_s / width):
            whom = list(group["whom"].drop_duplicates())
            sums = group[["lost", "may_lose"]].sum()
            found.append(
                Mark(str(what), whom, list(group["at_s"]), sums["lost"], sums["may_lose"], bool(group["is_cure"].all()))
            )
    return sorted(found, key=lambda mark: mark.at_s[0])


def _near(rows: pd.DataFrame, seconds: float) -> Iterator[pd.DataFrame]:
    """Rows that follow each other soon enough, together."""
    group = (rows["at_s"].diff() > seconds).cumsum()
    yield from (together for _, together in rows.groupby(group))


def placed(found: list[Mark], until_s: float, width: float) -> list[Name]:
    """Where their labels stand, as the names of stages do."""
    return names([Span(mark.text, mark.at_s[0], until_s) for mark in found], width)


def draw_marks(table: pd.DataFrame, axes: Axes, *, on_colours: bool) -> None:
    """A line for each, whole where something broke and dotted where it was mended; light beside it upon colours."""
    for at_s, is_cure in zip(table["at_s"], table["is_cure"], strict=True):
        if on_colours:
            axes.axvline(at_s, color="white", linewidth=HALO, zorder=3.5)
        axes.axvline(at_s, color=INK, linewidth=1.4, linestyle=":" if is_cure else "-", zorder=3.6)
