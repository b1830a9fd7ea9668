"""The picture of a run with faults: how often each backend was picked, what was predicted, what was lost, and when."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.charts.drawing.fault_titles import answer
from analysis.charts.drawing.marks import draw_marks, marks, placed
from analysis.charts.drawing.scales import plain, ruled
from analysis.charts.drawing.shares import draw_shares, edges_of, meanings
from analysis.charts.drawing.sheet import EDGE, Box, named, place, say, sheet
from analysis.charts.drawing.stages import Span, height_of, names, shade, write
from analysis.charts.drawing.style import ALARM, GREY, INK, SLATE
from analysis.charts.over_time import LEFT, ROOM, SECONDS
from analysis.checks.check import Check
from analysis.faults.course import BY_FAULTS, UNEXPLAINED, WHILE_ALL_DOWN, Course

SHARES, LOSSES = 2.9, 1.1  # inches
OF_CAUSE = {BY_FAULTS: SLATE[1], WHILE_ALL_DOWN: SLATE[2], UNEXPLAINED: ALARM}
CAUSES = {BY_FAULTS: "lost by a fault", WHILE_ALL_DOWN: "no backend alive", UNEXPLAINED: "unexplained"}


def faults_figure(course: Course, aftermath: pd.DataFrame, stages: list[Span], checks: Sequence[Check]) -> Figure:
    """What was done, and did share and losses go as predicted?"""
    until_s = float(edges_of(course.losses_over_time)[-1])
    found = marks(course.marks, until_s, ROOM)
    labels, above = placed(found, until_s, ROOM), names(stages, ROOM)
    causes: dict[str, Patch | Line2D] = {
        text: Patch(color=OF_CAUSE[cause]) for cause, text in CAUSES.items() if course.losses_over_time[cause].any()
    }
    legend, handles = named(meanings(course) | causes, ROOM)
    middle = height_of(labels) + 0.12
    figure = sheet(answer(course, aftermath, checks), legend.room + LOSSES + middle + SHARES + height_of(above))
    losses = place(figure, Box(LEFT, legend.room, ROOM, LOSSES))
    shares = place(figure, Box(LEFT, legend.room + LOSSES + middle, ROOM, SHARES), sharex=losses)
    draw_losses(course, stages, losses)
    draw_shares(course, stages, shares)
    write(above, shares)
    write(labels, losses, INK)
    shares.tick_params(labelbottom=False)
    losses.set_xlabel(SECONDS)
    at = legend.room + LOSSES + middle + SHARES / 2
    say(figure, EDGE, at, "share of all picks", rotation=90, va="center", color=GREY)
    say(figure, EDGE, legend.room + LOSSES / 2, "failed", rotation=90, va="center", color=GREY)
    legend.draw(figure, handles, LEFT, EDGE)
    return figure


def draw_losses(course: Course, stages: list[Span], axes: Axes) -> None:
    """What failed in each stretch of time, by its cause, one upon the other."""
    edges, below = edges_of(course.losses_over_time), np.zeros(len(course.losses_over_time))
    shade(stages, axes)
    for cause, colour in OF_CAUSE.items():
        top = below + course.losses_over_time[cause].to_numpy()
        axes.stairs(top, edges, baseline=below, fill=True, color=colour, linewidth=0, zorder=2)
        below = top
    most = float(below.max(initial=0.0))
    draw_marks(course.marks, axes, on_colours=False)
    axes.set_ylim(0, 1.12 * most if most > 0 else 1.0)
    plain(axes, "y", ticks=3, whole=True)
    plain(axes, "x", ticks=8)
    ruled(axes)
