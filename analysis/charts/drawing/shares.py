"""The share of picks of each backend over time in a run with faults, with the prediction."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter

from analysis.charts.drawing.marks import draw_marks
from analysis.charts.drawing.scales import plain
from analysis.charts.drawing.stages import Span, shade
from analysis.charts.drawing.style import INK, colours
from analysis.faults.course import Course
from analysis.measures.statistics import ROUNDING
from scenarios.formats.columns import Column

PREDICTED: Any = {"color": INK, "linewidth": 1.6, "linestyle": (0, (3, 1.5))}
HALO = 3.2  # points; it keeps the predicted line visible on any colour


def draw_shares(course: Course, stages: list[Span], axes: Axes) -> None:
    """The share of each backend upon that of the one before, and the predicted ends of each as a broken line."""
    edges = edges_of(course.losses_over_time)
    below = claimed = np.zeros(len(edges) - 1)
    shade(stages, axes)
    for tag, colour in colours(_tags(course)).items():
        rows = course.shares[course.shares[Column.HOST_TAG] == tag]
        top = below + rows[Column.SHARE].to_numpy()
        axes.stairs(top, edges, baseline=below, fill=True, color=colour, linewidth=0)
        below, claimed = top, claimed + rows[Column.PREDICTED].to_numpy()
        inside = (claimed > ROUNDING) & (claimed < 1 - ROUNDING) & ~np.isnan(top)
        ends = np.where(inside, claimed, np.nan)
        axes.stairs(ends, edges, baseline=None, color="white", linewidth=HALO, zorder=3)
        axes.stairs(ends, edges, baseline=None, zorder=3.1, **PREDICTED)
    draw_marks(course.marks, axes, on_colours=True)
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    plain(axes, "x", ticks=8)


def meanings(course: Course) -> dict[str, Patch | Line2D]:
    """The entries of the legend."""
    backends: dict[str, Patch | Line2D] = {tag: Patch(color=colour) for tag, colour in colours(_tags(course)).items()}
    return backends | {"predicted": Line2D([], [], **PREDICTED)}


def edges_of(stretches: pd.DataFrame) -> np.ndarray:
    """Where the stretches of time begin, and where the last one ends."""
    begins = stretches[Column.AT_S].to_numpy(dtype="float64")
    return np.append(begins, begins[-1:] + stretches[Column.SECONDS].to_numpy()[-1:])


def _tags(course: Course) -> list[str]:
    return list(dict.fromkeys(course.shares[Column.HOST_TAG]))
