"""The picture of the three ledgers, side by side: do client, balancer and backends tell the same?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.pictures.scales import plain
from analysis.pictures.sheet import EDGE, WIDTH, Box, named, place, sheet
from analysis.pictures.style import GREY, INK, colours
from analysis.pictures.text import shortened, widest

LEDGERS = {"client": "client received", "balancer": "balancer passed on", "processed": "backend processed"}
ALPHAS = (1.0, 0.6, 0.3)
BAR = 0.2  # inches
NAMES = 2.4


def ledgers_figure(reconciliation: pd.DataFrame, differences: pd.DataFrame, unaccounted: pd.DataFrame) -> Figure:
    """A group of bars per backend, one per ledger. `unaccounted` are those differences that no fault accounts for."""
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
    """Bars in the colour of the backend, paler from ledger to ledger, with their counts."""
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
    axes.set_xlabel("models created")


def answer(reconciliation: pd.DataFrame, differences: pd.DataFrame, unaccounted: pd.DataFrame) -> str:
    """Whether the ledgers agree, and what they differ in."""
    if len(unaccounted):
        caused = int(differences["count"].sum() - unaccounted["count"].sum())
        return f"The ledgers differ: {_counts(unaccounted)}" + (f"; {caused:,} more by faults" if caused else "")
    if len(differences):
        return f"The ledgers differ only by what the faults account for: {_counts(differences)}"
    if not len(reconciliation) or not reconciliation["client"].sum():
        return "Nobody created a model, and no ledger says otherwise"
    if (reconciliation["client"] == reconciliation["processed"]).all():
        return f"All three ledgers tell of the same {reconciliation['client'].sum():,} models"
    return "The ledgers do not say enough to be compared"


def _counts(differences: pd.DataFrame) -> str:
    counts = differences.groupby("difference", sort=False)["count"].sum()
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items())


def _names(reconciliation: pd.DataFrame) -> list[str]:
    return [shortened(str(tag), NAMES) for tag in reconciliation.index]
