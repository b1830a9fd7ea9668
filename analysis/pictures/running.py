"""Pictures of the proof: the three ledgers side by side, and how far each backend was from its share all along."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, SymmetricalLogLocator

from analysis.pictures.style import BAND, GREY, colours, give_title
from analysis.running import HIGHEST, LOWEST, swing
from analysis.statistics import ROUNDING

LEDGERS = {"client": "client received", "balancer": "balancer passed on", "processed": "backend processed"}
LINEAR = 3.0  # requests: up to here the scale is linear, and logarithmic beyond
MOMENTS = 2000  # more are not to be seen in a picture


def ledgers_figure(reconciliation: pd.DataFrame, differences: pd.DataFrame) -> Figure:
    """Do client, balancer and backends tell the same?"""
    height = 1.4 + 0.9 * len(reconciliation)
    figure, axes = plt.subplots(figsize=(9, height), layout="constrained")
    draw_ledgers(reconciliation, axes)
    give_title(figure, _ledgers_answer(reconciliation, differences))
    return figure


def draw_ledgers(reconciliation: pd.DataFrame, axes: Axes) -> None:
    """A group of bars per backend, one per ledger."""
    rows = np.arange(len(reconciliation))
    palette = list(colours(list(reconciliation.index)).values())
    for place, (ledger, label) in enumerate(LEDGERS.items()):
        counts = reconciliation[ledger]
        bars = axes.barh(rows + 0.27 * (place - 1), counts.fillna(0), height=0.24, color=palette, alpha=1 - 0.3 * place)
        said = [f"{count:,.0f}  {label}" if pd.notna(count) else f"not known  {label}" for count in counts]
        axes.bar_label(bars, said, padding=6, fontsize=9)
    axes.set_yticks(rows, list(reconciliation.index))
    axes.invert_yaxis()
    axes.set_xlim(0, 1.45 * max(1, reconciliation[list(LEDGERS)].max().max()))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel("models created")


def running_figure(running: pd.DataFrame, allowed: pd.Series, doubt: str) -> Figure:
    """Was any backend ever further from its share than weighted round-robin allows? `doubt`: why nobody can tell."""
    tags = list(dict.fromkeys(running["host_tag"]))
    figure, panels = plt.subplots(
        max(1, len(tags)), 1, figsize=(10, 1.2 + 1.5 * max(1, len(tags))), sharex=True, sharey=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    palette = colours(list(allowed.index))
    for tag, axes in zip(tags, panels[:, 0], strict=False):
        draw_running(running[running["host_tag"] == tag], allowed[tag], palette[tag], axes)
        axes.set_title(f"{tag}, {allowed[tag]:.2f} allowed")
    panels[-1][0].set_xlabel("seconds since the first request; coloured: where its deviation can have been")
    figure.supylabel("requests off its share", fontsize=11, color=GREY)
    give_title(figure, f"Cannot tell: {doubt.partition(';')[0]}" if doubt else _running_answer(running, allowed))
    return figure


def draw_running(running: pd.DataFrame, allowed: float, colour: str, axes: Axes) -> None:
    """The range in which the deviation lay, and the band in which it must have been somewhere."""
    every = -(-len(running) // MOMENTS)
    drawn = running.groupby(np.arange(len(running)) // max(1, every)).agg(
        {"at_s": "first", LOWEST: "min", HIGHEST: "max"}
    )
    axes.axhspan(-allowed, allowed, color=BAND, zorder=0)
    axes.fill_between(drawn["at_s"], drawn[LOWEST], drawn[HIGHEST], color=colour, alpha=0.6, linewidth=0.8, step="post")
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set_yscale("symlog", linthresh=LINEAR)
    axes.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=10))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+,g}" if value else "0"))


def _ledgers_answer(reconciliation: pd.DataFrame, differences: pd.DataFrame) -> str:
    if len(differences):
        counts = differences.groupby("difference", sort=False)["count"].sum()
        return "The ledgers differ: " + ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    if (reconciliation["client"] == reconciliation["processed"]).all():
        return f"All three ledgers tell of the same {reconciliation['client'].sum():,} models"
    return "The ledgers do not say enough to be compared"


def _running_answer(running: pd.DataFrame, allowed: pd.Series) -> str:
    if running.empty:
        return "The balancer's log says nothing"
    over = swing(running) - allowed.reindex(running["host_tag"].unique())
    if over.max() <= ROUNDING:
        return "No backend is known to have strayed further than round-robin allows"
    return f"{over.idxmax()} strayed at least {over.max():,.1f} requests further than round-robin allows"
