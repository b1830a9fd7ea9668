"""How every picture looks: one colour per backend, safe for colour-blind readers, and nothing that says nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

# Okabe & Ito (2008), "Color Universal Design", without black and yellow, which vanish on dark and light backgrounds.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
GREY = "#555555"
BAND = "#DDDDDD"

STYLE: Any = {
    "figure.dpi": 144,
    "figure.facecolor": "white",
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": False,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the project's style, on no screen."""
    mpl.use("Agg")
    with mpl.rc_context(STYLE):
        yield


def give_title(figure: Figure, answer: str) -> None:
    """A picture's title is the answer to its question."""
    figure.suptitle(answer, x=0.01, ha="left", fontsize=14, fontweight="bold")


def colours(backends: list[str]) -> dict[str, str]:
    """The colour of each backend, the same in every picture."""
    return {tag: COLOURS[index % len(COLOURS)] for index, tag in enumerate(backends)}
