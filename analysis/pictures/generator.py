"""The picture of the generator: did it do what was asked of it, and how much of what was measured is its own?"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from analysis.generator import LOOP_LAG, OWN_SHARE
from analysis.pictures.style import BAND, COLOURS, GREY, give_title

SHOWN = {"users": "users", "connections": "open connections", "in_flight": "requests in flight"}
ASKED = "users asked for"


def generator_figure(totals: pd.DataFrame, asked: pd.Series, pulses: pd.DataFrame, overhead: pd.DataFrame) -> Figure:
    """`totals` and `asked` by time in seconds, `pulses` with `at_s`, `lag_ms` and `cpu` in cores for each process."""
    figure, (counts, lag, cpu) = plt.subplots(
        3, 1, figsize=(10, 7.2), sharex=True, height_ratios=(3, 2, 2), layout="constrained"
    )
    draw_counts(totals, asked, counts)
    draw_by_process(pulses, "lag_ms", lag)
    lag.set_ylabel("event loop late, ms")
    draw_by_process(pulses, "cpu", cpu)
    cpu.set_ylabel("CPU, cores")
    cpu.set_xlabel("seconds since the first request")
    give_title(figure, _answer(totals, asked, overhead))
    return figure


def draw_counts(totals: pd.DataFrame, asked: pd.Series, axes: Axes) -> None:
    """What there was, against what was asked for."""
    axes.plot(asked.index, asked, drawstyle="steps-post", color="black", linestyle="--", linewidth=1.2, label=ASKED)
    for (column, label), colour in zip(SHOWN.items(), COLOURS, strict=False):
        axes.plot(totals.index, totals[column], drawstyle="steps-post", color=colour, linewidth=1.6, label=label)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_ylim(bottom=0)
    _lay_out(axes)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def draw_by_process(pulses: pd.DataFrame, column: str, axes: Axes) -> None:
    """One line per process."""
    for _, rows in pulses.groupby("process", sort=False):
        axes.plot(rows["at_s"], rows[column], drawstyle="steps-pre", color=GREY, linewidth=1.0)
    axes.set_ylim(bottom=0)
    _lay_out(axes)


def _lay_out(axes: Axes) -> None:
    axes.grid(axis="y", color=BAND, linewidth=0.8)
    axes.set_axisbelow(True)


def _answer(totals: pd.DataFrame, asked: pd.Series, overhead: pd.DataFrame) -> str:
    had = f"{totals['users'].max():,} of {asked.max():,.0f} users, {totals['in_flight'].max():,} in flight at once"
    measure = OWN_SHARE if OWN_SHARE in overhead.index else LOOP_LAG
    if measure not in overhead.index:
        return had
    name = "its own share of latency" if measure == OWN_SHARE else "its event loop late by"
    return f"{had};\n{name} p50 {overhead['p50_ms'][measure]:,.1f} ms, p99 {overhead['p99_ms'][measure]:,.1f} ms"
