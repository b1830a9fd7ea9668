"""A sheet of paper and its contents, in inches. Its margins are known, so a figure is laid out without a trial draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from analysis.charts.drawing.style import DPI, INK, TEXT, TITLE
from analysis.charts.drawing.text import shortened, widest, width_of, wrapped
from scenarios.formats.atomic_write import atomic

WIDTH = 10.0
EDGE = 0.12  # the white margin on every side
TITLE_LINE = 0.25
ROW = 0.24  # of a legend
KEY = 0.8  # the width of a legend's entry beside its text
AXIS = 0.6  # below axes, for ticks and a label


class Box(NamedTuple):
    """A rectangle on a sheet, from its lower left corner."""

    left: float
    bottom: float
    width: float
    height: float


def sheet(answer: str, height: float) -> Figure:
    """A sheet with `height` inches below its title, which answers the picture's question."""
    title = wrapped(answer, WIDTH - 3 * EDGE, TITLE, bold=True)
    whole = height + 1.5 * EDGE + TITLE_LINE * (title.count("\n") + 1)
    figure = Figure(figsize=(WIDTH, whole))
    figure.suptitle(
        title, x=EDGE / WIDTH, y=1 - EDGE / whole, ha="left", va="top", fontsize=TITLE, fontweight="bold", color=INK
    )
    return figure


def place(figure: Figure, box: Box, **of_axes: Any) -> Axes:
    """Add axes that fill this box."""
    width, height = figure.get_size_inches()
    return figure.add_axes((box.left / width, box.bottom / height, box.width / width, box.height / height), **of_axes)


def say(figure: Figure, left: float, bottom: float, text: str, **of_text: Any) -> None:
    """Write a text at this place, in inches from the lower left corner."""
    width, height = figure.get_size_inches()
    figure.text(left / width, bottom / height, text, **of_text)


def grid(  # noqa: PLR0913 - a grid needs so many numbers
    figure: Figure, box: Box, count: int, columns: int, gap: tuple[float, float], *, shared: bool = True
) -> list[Axes]:
    """Add `count` axes of one size, in rows from the top; `gap` is between columns and between rows.

    When `shared`, they have one scale of x, with numbers only below the lowest axes of each column.
    """
    rows = max(1, -(-count // columns))
    width = (box.width - gap[0] * (columns - 1)) / columns
    height = (box.height - gap[1] * (rows - 1)) / rows
    panels: list[Axes] = []
    for number in range(count):
        row, column = divmod(number, columns)
        left, bottom = box.left + column * (width + gap[0]), box.bottom + (rows - 1 - row) * (height + gap[1])
        axes = place(figure, Box(left, bottom, width, height), sharex=panels[0] if panels and shared else None)
        axes.tick_params(labelbottom=not shared or number + columns >= count)
        panels.append(axes)
    return panels


@dataclass(frozen=True)
class Legend:
    """The meaning of lines and colours, in as many columns as fit."""

    labels: Sequence[str]
    width: float

    @property
    def columns(self) -> int:
        """The number of entries side by side."""
        if sum(width_of(text) + KEY for text in self._texts) <= self.width:
            return max(1, len(self.labels))
        return max(1, int(self.width / (widest(self._texts) + KEY)))

    @property
    def height(self) -> float:
        """The height of the legend in inches."""
        return ROW * -(-len(self.labels) // self.columns)

    @property
    def room(self) -> float:
        """Inches from the edge of the sheet to the axes, for their ticks and label and for this legend below."""
        return EDGE + self.height + AXIS

    @property
    def _texts(self) -> list[str]:
        return [shortened(label, self.width - KEY) for label in self.labels]

    def draw(self, figure: Figure, handles: Sequence[Artist], left: float, bottom: float) -> None:
        """Draw it with its lower left corner at this place, in inches."""
        width, height = figure.get_size_inches()
        legend = figure.legend(
            handles, [str(number) for number in range(len(handles))], loc="lower left",
            bbox_to_anchor=(left / width, bottom / height), ncols=self.columns, borderpad=0, borderaxespad=0,
            labelspacing=(ROW * 72 - TEXT * 1.25) / TEXT, columnspacing=1.6, handlelength=1.8, frameon=False,
            labelcolor=INK,
        )  # fmt: skip
        for text, label in zip(legend.get_texts(), self._texts, strict=True):
            text.set_text(label)  # later, because matplotlib omits a label that begins with an underscore


def save(figure: Figure, path: Path) -> None:
    """Write a picture as an opaque PNG, which is readable on dark pages too."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    with atomic(path) as draft:
        Image.fromarray(pixels[..., :3]).save(draft, "png", compress_level=5, dpi=(DPI, DPI))


def named(handles: Mapping[str, Artist], width: float) -> tuple[Legend, list[Artist]]:
    """A legend for these handles by label, and the handles in its order."""
    return Legend(list(handles), width), list(handles.values())
