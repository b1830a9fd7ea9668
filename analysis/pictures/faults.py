"""The picture of a run with faults: who was picked how often, what was predicted, what was lost, and when."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.checks.check import Check
from analysis.faults.course import BY_FAULTS, IN_THE_DARK, UNEXPLAINED, Course
from analysis.pictures.fault_words import answer
from analysis.pictures.marks import draw_marks, marks, placed
from analysis.pictures.scales import plain, ruled
from analysis.pictures.shares import draw_shares, edges_of, meanings
from analysis.pictures.sheet import EDGE, Box, named, place, say, sheet
from analysis.pictures.stages import Span, height_of, names, shade, write
from analysis.pictures.style import ALARM, GREY, INK, SLATE
from analysis.pictures.time import LEFT, ROOM, SECONDS

SHARES, TOLL = 2.9, 1.1  # inches
TOLLS = {BY_FAULTS: SLATE[1], IN_THE_DARK: SLATE[2], UNEXPLAINED: ALARM}
CAUSES = {BY_FAULTS: "lost by a fault", IN_THE_DARK: "no backend alive", UNEXPLAINED: "unexplained"}


def faults_figure(course: Course, aftermath: pd.DataFrame, stages: list[Span], checks: Sequence[Check]) -> Figure:
    """What was done, and did share and losses go as predicted?"""
    until_s = float(edges_of(course.toll)[-1])
    found = marks(course.marks, until_s, ROOM)
    labels, above = placed(found, until_s, ROOM), names(stages, ROOM)
    tolls: dict[str, Patch | Line2D] = {
        text: Patch(color=TOLLS[cause]) for cause, text in CAUSES.items() if course.toll[cause].any()
    }
    legend, handles = named(meanings(course) | tolls, ROOM)
    middle = height_of(labels) + 0.12
    figure = sheet(answer(course, aftermath, checks), legend.room + TOLL + middle + SHARES + height_of(above))
    toll = place(figure, Box(LEFT, legend.room, ROOM, TOLL))
    shares = place(figure, Box(LEFT, legend.room + TOLL + middle, ROOM, SHARES), sharex=toll)
    draw_toll(course, stages, toll)
    draw_shares(course, stages, shares)
    write(above, shares)
    write(labels, toll, INK)
    shares.tick_params(labelbottom=False)
    toll.set_xlabel(SECONDS)
    at = legend.room + TOLL + middle + SHARES / 2
    say(figure, EDGE, at, "share of all picks", rotation=90, va="center", color=GREY)
    say(figure, EDGE, legend.room + TOLL / 2, "failed", rotation=90, va="center", color=GREY)
    legend.draw(figure, handles, LEFT, EDGE)
    return figure


def draw_toll(course: Course, stages: list[Span], axes: Axes) -> None:
    """What failed in each stretch of time, by its cause, one upon the other."""
    edges, below = edges_of(course.toll), np.zeros(len(course.toll))
    shade(stages, axes)
    for cause, colour in TOLLS.items():
        top = below + course.toll[cause].to_numpy()
        axes.stairs(top, edges, baseline=below, fill=True, color=colour, linewidth=0, zorder=2)
        below = top
    most = float(below.max(initial=0.0))
    draw_marks(course.marks, axes, on_colours=False)
    axes.set_ylim(0, 1.12 * most if most > 0 else 1.0)
    plain(axes, "y", ticks=3, whole=True)
    plain(axes, "x", ticks=8)
    ruled(axes)
