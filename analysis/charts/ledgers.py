"""The picture of the three ledgers, side by side: do client, balancer and backends count the same?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.charts.drawing.scales import plain
from analysis.charts.drawing.sheet import EDGE, WIDTH, Box, named, place, sheet
from analysis.charts.drawing.style import GREY, INK, colours
from analysis.charts.drawing.text import shortened, widest
from scenarios.formats.columns import Column

LEDGERS = {
    Column.CLIENT: "client received",
    Column.BALANCER: "balancer passed on",
    Column.PROCESSED: "backend processed",
}
ALPHAS = (1.0, 0.6, 0.3)
BAR = 0.2  # inches
NAMES = 2.4


def ledgers_figure(reconciliation: pd.DataFrame, differences: pd.DataFrame, unaccounted: pd.DataFrame) -> Figure:
    """Draw a group of bars per backend, one bar per ledger. No fault accounts for the `unaccounted` differences."""
    height = (len(LEDGERS) + 0.7) * BAR * max(1, len(reconciliation))
    left = EDGE + widest(_names(reconciliation)) + 0.15
    width = WIDTH - left - 0.3
    keys = {
        label: Patch(facecolor=GREY, linewidth=0, alpha=alpha)
        for label, alpha in zip(LEDGERS.values(), ALPHAS, strict=True)
    }
    legend, handles = named(keys, width)
    figure = sheet(answer(reconciliation, differences, unaccounted), legend.room + height)
    draw_ledgers(reconciliation, width, place(figure, Box(left, legend.room, width, height)))
    legend.draw(figure, handles, left, EDGE)
    return figure


def draw_ledgers(reconciliation: pd.DataFrame, width: float, axes: Axes) -> None:
    """Draw bars with their counts, in the colour of the backend and paler from ledger to ledger."""
    rows = np.arange(len(reconciliation))
    palette = list(colours(list(reconciliation.index)).values())
    high = 1 / (len(LEDGERS) + 0.7)
    texts: list[str] = []
    for number, (ledger, alpha) in enumerate(zip(LEDGERS, ALPHAS, strict=True)):
        counts = reconciliation[ledger]
        bars = axes.barh(rows + high * (number - 1), counts.fillna(0), height=high, color=palette, alpha=alpha)
        said = [f"{count:,.0f}" if pd.notna(count) else "not known" for count in counts]
        axes.bar_label(bars, said, padding=5, color=INK)
        texts += said
    most = max(1, reconciliation[list(LEDGERS)].max().max()) if len(reconciliation) else 1
    axes.set_xlim(0, most * width / (width - widest(texts) - 0.12))
    axes.set_yticks(rows, _names(reconciliation))
    axes.set_ylim(max(1, len(reconciliation)) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    plain(axes, "x", ticks=5, whole=True)
    axes.set_xlabel("right answers")


def answer(reconciliation: pd.DataFrame, differences: pd.DataFrame, unaccounted: pd.DataFrame) -> str:
    """The title: whether the ledgers agree, or how they differ."""
    if len(unaccounted):
        caused = int(differences[Column.COUNT].sum() - unaccounted[Column.COUNT].sum())
        return f"The ledgers differ: {_counts(unaccounted)}" + (f"; faults caused {caused:,} more" if caused else "")
    if len(differences):
        return f"The ledgers differ only as the faults account for: {_counts(differences)}"
    if not len(reconciliation) or not reconciliation[Column.CLIENT].sum():
        return "No ledger counts a right answer"
    if (reconciliation[Column.CLIENT] == reconciliation[Column.PROCESSED]).all():
        return f"All three ledgers count the same {reconciliation[Column.CLIENT].sum():,} right answers"
    return "The ledgers are too incomplete to compare"


def _counts(differences: pd.DataFrame) -> str:
    counts = differences.groupby(Column.DIFFERENCE, sort=False)[Column.COUNT].sum()
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items())


def _names(reconciliation: pd.DataFrame) -> list[str]:
    return [shortened(str(tag), NAMES) for tag in reconciliation.index]
