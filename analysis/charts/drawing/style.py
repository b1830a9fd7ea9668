"""The style of every picture: one colour per backend, safe for colour-blind readers, and no decoration."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, product
from typing import Any, NamedTuple

import matplotlib as mpl

# Okabe & Ito (2008), "Color Universal Design", without black and yellow, which vanish on dark and light backgrounds;
# then six more: a search found those that differ most under four kinds of colour vision.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00",
    "#A569FF", "#5A4B00", "#963C69", "#4B00E1", "#69004B", "#3C0096",
)  # fmt: skip
GREY = "#555555"
BAND = "#DDDDDD"
PALE = "#F3F3F3"
ALARM = "#B00020"
SLATE = ("#263238", "#607D8B", "#A7B6BE", "#DDE3E6")  # for everything but backends, dark to pale
INK = SLATE[0]

TEXT = 11.0  # points; half the size is still readable
TITLE = 14.0
DPI = 144

STYLE: Any = {
    "figure.dpi": DPI,
    "figure.facecolor": "white",
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # fixed: the search for a free place takes time
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "path.simplify_threshold": 0.5,
}


class Look(NamedTuple):
    """The colour, line and marker of a backend."""

    colour: str
    line: Any
    marker: str


def looks(backends: list[str]) -> dict[str, Look]:
    """The look of each backend, the same in every picture. Beyond twelve, line and marker tell them apart."""
    styles = cycle(product((("-", "o"), ("--", "s"), (":", "^"), ("-.", "D")), COLOURS))
    return {tag: Look(colour, line, marker) for tag, ((line, marker), colour) in zip(backends, styles, strict=False)}


def colours(backends: list[str]) -> dict[str, str]:
    """The colour of each backend, the same in every picture."""
    return {tag: look.colour for tag, look in looks(backends).items()}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the project's style."""
    with mpl.rc_context(STYLE):
        yield
