"""The picture of the split: did every backend get its claimed part?"""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.charts.drawing.scales import plain
from analysis.charts.drawing.sheet import EDGE, WIDTH, Box, named, place, sheet
from analysis.charts.drawing.style import BAND, GREY, INK, looks
from analysis.charts.drawing.text import shortened, widest, width_of
from analysis.charts.drawing.words import cannot_tell, name_of, part_of
from analysis.checks.check import Check, Outcome
from analysis.measures.statistics import ROUNDING
from scenarios.formats.columns import Column

BAR = 0.42  # inches
NAMES = 2.4
HALF = 6.6  # where the right half begins


def distribution_figure(distribution: pd.DataFrame, doubt: str, of_stages: Sequence[Check]) -> Figure:
    """`doubt` is why it is not known whether the split is right; empty when it is.

    `of_stages` are the checks of single stages, where only they can be judged.
    """
    height = BAR * len(distribution)
    left = EDGE + names_width(distribution) + 0.1
    legend, handles = named(meanings(), WIDTH - left)
    figure = sheet(answer(distribution, doubt, of_stages), legend.room + height)
    counts = place(figure, Box(left, legend.room, HALF - 0.3 - left, height))
    deviations = place(figure, Box(HALF, legend.room, WIDTH - HALF - 0.3, height))
    draw_counts(distribution, HALF - 0.3 - left, counts)
    draw_deviations(distribution, deviations)
    legend.draw(figure, handles, left, EDGE)
    return figure


def names_width(distribution: pd.DataFrame) -> float:
    """What the labels of `draw_counts` need to the left of it, in inches."""
    return widest(_labels(distribution))


def meanings() -> dict[str, Patch | Line2D]:
    """What is drawn, for a legend."""
    return {
        "answered": Patch(color=GREY),
        "claimed": Line2D([], [], marker="|", markersize=14, markeredgewidth=2.4, linestyle="none", color=INK),
        "may be off": Patch(color=BAND),
        "is off": Line2D([], [], marker="o", markersize=8, linestyle="none", color=GREY),
    }


def draw_counts(distribution: pd.DataFrame, width: float, axes: Axes) -> None:
    """Requests answered as bars, the claim as a mark across each; `width` is that of the axes in inches."""
    rows = range(len(distribution))
    palette = [look.colour for look in looks(list(distribution.index)).values()]
    axes.barh(rows, distribution[Column.ANSWERED], color=palette, height=0.66)
    high = [row + 0.42 for row in rows]
    axes.vlines(distribution[Column.EXPECTED], [row - 0.42 for row in rows], high, linewidth=2.4, color=INK, zorder=3)
    texts = [
        f"{answered:,} = {100 * share:.2f} %"
        for answered, share in zip(distribution[Column.ANSWERED], distribution[Column.SHARE], strict=True)
    ]
    ends = distribution[[Column.ANSWERED, Column.EXPECTED]].max(axis=1)
    for row, (end, text) in enumerate(zip(ends, texts, strict=True)):
        axes.annotate(text, (end, row), xytext=(6, 0), textcoords="offset points", va="center", color=INK)
    room = widest(texts) + 0.12
    axes.set_xlim(0, max(1, ends.max()) * width / max(0.3 * width, width - room))
    axes.set_yticks(rows, _labels(distribution))
    axes.set_ylim(len(distribution) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    plain(axes, "x", ticks=3, whole=True)
    axes.set_xlabel("requests answered")


def draw_deviations(distribution: pd.DataFrame, axes: Axes) -> None:
    """How far each count is from the claim, inside the band that round-robin allows."""
    rows = range(len(distribution))
    axes.barh(rows, 2 * distribution[Column.ALLOWED], left=-distribution[Column.ALLOWED], color=BAND, height=0.66)
    axes.axvline(0, color=GREY, linewidth=1)
    if distribution[Column.ANSWERED].any():
        marks = looks(list(distribution.index)).values()
        for row, (look, off) in enumerate(zip(marks, distribution[Column.DEVIATION], strict=True)):
            axes.plot([off], [row], marker=look.marker, markersize=8, color=look.colour, zorder=3)
    reach = 1.15 * max(1.0, distribution[Column.DEVIATION].abs().max(), distribution[Column.ALLOWED].max())
    axes.set_xlim(-reach, reach)
    axes.set_ylim(len(distribution) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    plain(axes, "x", ticks=4)
    axes.set_xlabel("requests off the claim")


def answer(distribution: pd.DataFrame, doubt: str, of_stages: Sequence[Check] = ()) -> str:
    """Whether the split is as claimed, by the backend that tells most, or stage by stage where they are judged."""
    total = int(distribution[Column.ANSWERED].sum())
    if not total:
        return cannot_tell("no request was answered" + (f" ({doubt.partition(';')[0]})" if doubt else ""))
    if of_stages and all(check.outcome is not Outcome.INVALID for check in of_stages):
        return _by_stage(of_stages)
    if doubt:
        return cannot_tell(doubt)
    over = distribution[Column.DEVIATION].abs() - distribution[Column.ALLOWED]
    if over.max() > ROUNDING:
        return _what_is_off(str(over.idxmax()), distribution)
    return _what_is_right(distribution)


def _by_stage(checks: Sequence[Check]) -> str:
    for check in checks:
        if check.outcome is Outcome.FAIL:
            return f"Not as predicted: {check.name}: {check.observed}"
    where = f"each of {len(checks)} stages" if len(checks) > 1 else "the one stage"
    return f"The split was as predicted in {where} that can be judged; the whole run is not judged"


def _what_is_right(distribution: pd.DataFrame) -> str:
    exact = distribution[distribution[Column.DEVIATION].abs() < ROUNDING]
    tag = str((exact if len(exact) else distribution)[Column.WEIGHT].idxmax())
    row, off = distribution.loc[tag], float(distribution[Column.DEVIATION].abs().max())
    took = f"{name_of(tag)} took {row[Column.ANSWERED]:,.0f} of {distribution[Column.ANSWERED].sum():,}"
    part = part_of(int(distribution[Column.WEIGHT].loc[tag]), int(distribution[Column.WEIGHT].sum()))
    if len(exact):
        return f"{took}: exactly its {part}" + (f"; no backend is off by more than {off:.2f}" if off > ROUNDING else "")
    return f"{took}, {abs(row[Column.DEVIATION]):.2f} of a request off its {part}; {row[Column.ALLOWED]:.2f} is allowed"


def _what_is_off(tag: str, distribution: pd.DataFrame) -> str:
    row = distribution.loc[tag]
    took = f"{name_of(tag)} took {row[Column.ANSWERED]:,.0f} of {distribution[Column.ANSWERED].sum():,}"
    if not row[Column.WEIGHT]:
        return f"{took} and is not in the claim"
    direction = "more" if row[Column.DEVIATION] > 0 else "fewer"
    part = part_of(int(distribution[Column.WEIGHT].loc[tag]), int(distribution[Column.WEIGHT].sum()))
    return (
        f"{took}, {abs(row[Column.DEVIATION]):,.1f} {direction} than its {part}; {row[Column.ALLOWED]:.2f} is allowed"
    )


def _labels(distribution: pd.DataFrame) -> list[str]:
    weights = [f"   weight {weight}" for weight in distribution[Column.WEIGHT]]
    return [
        shortened(str(tag), NAMES - width_of(weight)) + weight
        for tag, weight in zip(distribution.index, weights, strict=True)
    ]
