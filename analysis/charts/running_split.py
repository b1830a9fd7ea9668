"""The picture of the proof: how far was each backend from its share at every moment?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis.charts.drawing.scales import draw_no_answer, plain
from analysis.charts.drawing.sheet import EDGE, WIDTH, Box, grid, say, sheet
from analysis.charts.drawing.style import BAND, GREY, colours
from analysis.charts.drawing.text import shortened, width_of
from analysis.charts.drawing.thinning import stretches
from analysis.charts.drawing.words import cannot_tell, name_of
from analysis.measures.running_split import HIGHEST, LOWEST, swing
from analysis.measures.statistics import ROUNDING
from scenarios.formats.columns import Column

LINEAR = 3.0  # requests; the scale is linear up to here and logarithmic beyond
SHOWN = f"coloured: possible deviation; grey: allowed; logarithmic beyond {LINEAR:g}"
ONE_COLUMN = 6  # backends; more need two columns
ROW, LEFT, BELOW, ABOVE, GAP = 1.05, 0.95, 0.62, 0.32, (0.35, 0.42)


def running_figure(running: pd.DataFrame, allowed: pd.Series, doubt: str) -> Figure:
    """Draw a panel per backend. `allowed` is its bound in requests; `doubt` is empty or why the run cannot tell."""
    tags = list(dict.fromkeys(running[Column.HOST_TAG])) or [""]
    columns = 1 if len(tags) <= ONE_COLUMN else 2
    rows = -(-len(tags) // columns)
    box = Box(LEFT, BELOW, WIDTH - LEFT - 0.3, rows * ROW + (rows - 1) * GAP[1])
    figure = sheet(answer(running, allowed, doubt), BELOW + box.height + ABOVE)
    panels = grid(figure, box, len(tags), columns, GAP)
    width = (box.width - GAP[0] * (columns - 1)) / columns
    palette = colours(list(allowed.index))
    for number, (tag, axes) in enumerate(zip(tags, panels, strict=True)):
        of_tag = running[running[Column.HOST_TAG] == tag]
        if len(of_tag):
            draw_running(of_tag, allowed[tag], palette[tag], axes)
            may = f", allowed deviation {allowed[tag]:.2f}"
            axes.set_title(shortened(tag, width - width_of(may)) + may)
        axes.tick_params(labelleft=number % columns == 0)
    if len(running):
        _share_scale(panels, running, float(allowed.max()))
    else:
        draw_no_answer(panels[0])
    middle = box.bottom + box.height / 2
    say(figure, EDGE, middle, "deviation in requests", rotation=90, va="center", color=GREY)
    say(figure, LEFT, EDGE, f"seconds since the first request; {SHOWN}", color=GREY)
    return figure


def draw_running(running: pd.DataFrame, allowed: float, colour: str, axes: Axes) -> None:
    """Draw the range in which the deviation lay, and the band that the bound allows."""
    starts = stretches(len(running))
    lowest = np.minimum.reduceat(running[LOWEST].to_numpy(), starts)
    highest = np.maximum.reduceat(running[HIGHEST].to_numpy(), starts)
    axes.axhspan(-allowed, allowed, color=BAND, zorder=0, linewidth=0)
    at_s = running[Column.AT_S].to_numpy()
    moments = np.append(at_s[starts], at_s[-1])
    lowest, highest = (np.append(values, values[-1]) for values in (lowest, highest))
    axes.fill_between(moments, lowest, highest, step="post", color=colour, alpha=0.65, linewidth=0)
    axes.axhline(0, color=GREY, linewidth=0.8)


def answer(running: pd.DataFrame, allowed: pd.Series, doubt: str) -> str:
    """The title: whether a backend deviated from its share by more than weighted round-robin allows."""
    if doubt:
        return cannot_tell(doubt)
    if running.empty:
        return "The balancer's log shows no pick"
    over = swing(running) - allowed.reindex(running[Column.HOST_TAG].unique())
    if over.max() <= ROUNDING:
        return "No backend is known to have deviated more than round-robin allows"
    return f"{name_of(over.idxmax())} deviated at least {over.max():,.1f} requests more than round-robin allows"


def _share_scale(panels: list[Axes], running: pd.DataFrame, allowed: float) -> None:
    reach = max(1.15 * allowed, *(abs(running[name]).max() for name in (LOWEST, HIGHEST)))
    for axes in panels:
        axes.set_yscale("symlog", linthresh=LINEAR)
        axes.set_ylim(-1.2 * reach, 1.2 * reach)
        tick = 10.0 ** np.floor(np.log10(max(1.0, reach)))
        axes.yaxis.set_major_locator(FixedLocator([-tick, 0, tick]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+,g}" if value else "0"))
        plain(axes, "x", ticks=8)
        axes.margins(x=0)
