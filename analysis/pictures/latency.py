"""Pictures: a tidy frame and axes in, a drawing out. Nothing is computed here; a figure's title is its answer."""

from itertools import cycle

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from analysis.pictures.style import BAND, GREY, colours, give_title
from analysis.statistics import ALL, QUANTILES, ROUNDING

PERCENTILE_LABELS = {**{name: name.removesuffix("_ms").replace("_", ".") for name in QUANTILES}, "max_ms": "max"}


def distribution_figure(distribution: pd.DataFrame) -> Figure:
    """Did every backend get its claimed part?"""
    height = 1.8 + 0.55 * len(distribution)
    figure, (counts, deviations) = plt.subplots(
        1, 2, figsize=(10, height), sharey=True, width_ratios=(3, 2), layout="constrained"
    )
    draw_counts(distribution, counts)
    draw_deviations(distribution, deviations)
    give_title(figure, _distribution_answer(distribution))
    return figure


def draw_counts(distribution: pd.DataFrame, axes: Axes) -> None:
    """Requests answered as bars, the claim as a mark across each."""
    rows = range(len(distribution))
    axes.barh(rows, distribution["answered"], color=list(colours(list(distribution.index)).values()), height=0.6)
    axes.scatter(distribution["expected"], rows, marker="|", s=700, linewidths=2, color="black", zorder=3)
    for row, (answered, share) in enumerate(zip(distribution["answered"], distribution["share"], strict=True)):
        axes.annotate(
            f"{answered:,} = {share:.2%}",
            (max(answered, distribution["expected"].iloc[row]), row),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_yticks(rows, [f"{tag}  weight {weight}" for tag, weight in distribution["weight"].items()])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.45 * max(1, distribution[["answered", "expected"]].to_numpy().max()))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel("requests answered; | is the claim")


def draw_deviations(distribution: pd.DataFrame, axes: Axes) -> None:
    """How far each count is from the claim, inside the band that round-robin allows."""
    rows = range(len(distribution))
    axes.barh(rows, 2 * distribution["allowed"], left=-distribution["allowed"], color=BAND, height=0.6)
    palette = colours(list(distribution.index))
    axes.scatter(distribution["deviation"], rows, s=80, color=[palette[tag] for tag in distribution.index], zorder=3)
    axes.axvline(0, color=GREY, linewidth=1)
    reach = 1.15 * max(1.0, distribution["deviation"].abs().max(), distribution["allowed"].max())
    axes.set_xlim(-reach, reach)
    axes.tick_params(left=False)
    axes.set_xlabel("requests off the claim; grey is allowed")


def latency_figure(latency: pd.DataFrame, stages: list[str], backends: list[str]) -> Figure:
    """How long did answers take, backend by backend and stage by stage?"""
    figure, panels = plt.subplots(
        1,
        len(stages),
        figsize=(max(6.0, 1.5 + 3.4 * len(stages)), 4.4),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for stage, axes in zip(stages, panels[0], strict=True):
        draw_percentiles(latency, stage, backends, axes)
        axes.set_title(f"stage {stage}")
    panels[0][0].set_ylabel("latency in ms")
    legend = {label: line for axes in panels[0] for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(legend.values(), legend.keys(), loc="outside lower center", ncols=6)
    give_title(figure, _latency_answer(latency, stages))
    return figure


def draw_percentiles(latency: pd.DataFrame, stage: str, backends: list[str], axes: Axes) -> None:
    """One line per backend over the percentiles of one stage."""
    for (tag, colour), marker in zip(colours(backends).items(), cycle("os^Dv"), strict=False):
        if (tag, stage) in latency.index:
            values = latency.loc[(tag, stage), list(PERCENTILE_LABELS)]
            axes.plot(list(PERCENTILE_LABELS.values()), values, marker=marker, markersize=5, color=colour, label=tag)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.grid(axis="y", color=BAND, linewidth=0.8)


def _distribution_answer(distribution: pd.DataFrame) -> str:
    total = distribution["answered"].sum()
    if not total:
        return "Nobody answered"
    off, allowed = distribution["deviation"].abs(), distribution["allowed"]
    if (off <= allowed + ROUNDING).all():
        return f"The split of {total:,} requests is exact: nobody is off by more than {off.max():.2f}"
    worst = int((off - allowed).argmax())
    name = distribution.index[worst]
    return f"{name} is {off.iloc[worst]:,.1f} requests off its claim; {allowed.iloc[worst]:.2f} are allowed"


def _latency_answer(latency: pd.DataFrame, stages: list[str]) -> str:
    if latency.empty:
        return "Nobody answered"
    p99 = latency["p99_ms"].xs(ALL, level="host_tag").reindex(stages).dropna()
    return "99 % answered within " + ", ".join(f"{value:,.0f} ms ({stage})" for stage, value in p99.items())
