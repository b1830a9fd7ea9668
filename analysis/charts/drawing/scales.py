"""Scales that are easy to read: numbers with commas, milliseconds, few ticks, grid lines."""

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from analysis.charts.drawing.style import BAND, GREY

TICKS = 5


def number(value: float) -> str:
    """A number for a tick: 12,000 in full, but 120k and 12M, which would be too wide."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= max(unit, 1e5):
            return f"{value / unit:g}{letter}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def plain(axes: Axes, which: str, *, ticks: int = TICKS, whole: bool = False) -> None:
    """Make a linear axis, "x" or "y", with few ticks."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(ticks, integer=whole, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(round(value, 9))))


def milliseconds(axes: Axes) -> None:
    """Make y a logarithmic axis for latencies."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    narrow = high / low < 30
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,), numticks=8))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


def draw_no_answer(axes: Axes) -> None:
    """Write "no answer" on axes that have nothing to show."""
    axes.text(0.5, 0.5, "no answer", transform=axes.transAxes, ha="center", va="center", color=GREY)
    axes.set_xticks([])
    axes.set_yticks([])


def ruled(axes: Axes) -> None:
    """Draw thin horizontal grid lines behind everything else."""
    axes.grid(axis="y", color=BAND, linewidth=0.8)
    axes.set_axisbelow(True)
