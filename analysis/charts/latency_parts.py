"""The picture of the parts of latency: which part of the system held the request for how long?"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.charts.drawing.scales import draw_no_answer, plain
from analysis.charts.drawing.sheet import EDGE, WIDTH, Box, grid, named, place, sheet
from analysis.charts.drawing.style import INK, SLATE
from analysis.charts.drawing.text import shortened, widest
from analysis.charts.drawing.words import duration, name_of
from analysis.measures.latency_parts import MEAN, PARTS, TOTAL
from scenarios.formats.columns import Column

NAMES = {
    Column.BACKEND_MS: "backend",
    Column.BALANCER_MS: "balancer",
    Column.CONNECT_MS: "connecting",
    Column.GENERATOR_MS: "network and generator",
}
SHADES = dict(zip(NAMES, (SLATE[1], SLATE[0], SLATE[2], SLATE[3]), strict=True))
COLUMNS = 3
ROW, LEFT, ABOVE, GAP = 1.5, 0.7, 0.32, (0.75, 0.75)


def parts_figure(parts: pd.DataFrame) -> Figure:
    """Draw a panel per stage, with a bar for the mean and one around each percentile."""
    stages = list(parts.index.unique(Column.STAGE))
    columns = max(1, min(COLUMNS, len(stages)))
    rows = max(1, -(-len(stages) // columns))
    legend, handles = named({NAMES[part]: Patch(color=SHADES[part]) for part in NAMES}, WIDTH - LEFT)
    box = Box(LEFT, legend.room, WIDTH - LEFT - 0.3, rows * ROW + (rows - 1) * GAP[1])
    figure = sheet(answer(parts), legend.room + box.height + ABOVE)
    width = (box.width - GAP[0] * (columns - 1)) / columns
    if not stages:
        draw_no_answer(place(figure, box))
    panels = grid(figure, box, len(stages), columns, GAP, shared=False)
    for number, (stage, axes) in enumerate(zip(stages, panels, strict=True)):
        draw_parts(parts.loc[stage], width, axes)
        axes.set_title(shortened(f"stage {stage}", width))
        if number + columns >= len(stages):
            axes.set_xlabel("ms")
    legend.draw(figure, handles, LEFT, EDGE)
    return figure


def draw_parts(parts: pd.DataFrame, width: float, axes: Axes) -> None:
    """Draw a bar per row, from the backend outwards, without the parts that rounding put below zero."""
    rows = range(len(parts))
    left = pd.Series(0.0, index=parts.index)
    for part, shade in SHADES.items():
        length = parts[part].clip(lower=0)
        axes.barh(rows, length, left=left, color=shade, height=0.7)
        left = left + length
    texts = [duration(total) for total in parts[TOTAL]]
    for row, text in enumerate(texts):
        axes.annotate(text, (left.iloc[row], row), xytext=(5, 0), textcoords="offset points", va="center", color=INK)
    axes.set_yticks(rows, list(parts.index))
    axes.set_ylim(len(parts) - 0.5, -0.5)
    axes.set_xlim(0, max(left.max(), 1e-3) * width / (width - widest(texts) - 0.12))
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    plain(axes, "x", ticks=3)


def answer(parts: pd.DataFrame) -> str:
    """The title: the largest part of the latency in the stage with the most requests."""
    if parts.empty:
        return "Cannot tell: no answer is in both ledgers"
    means = parts.xs(MEAN, level=Column.AROUND)
    stage = str(means[Column.COUNT].idxmax())
    shares = means[PARTS].loc[stage].clip(lower=0)
    most = str(shares.idxmax())
    of = f" in stage {name_of(stage)}" if len(means) > 1 else ""
    percent = 100 * shares[most] / max(shares.sum(), 1e-9)
    said = "Over 99" if 99.5 <= percent < 100 else f"{percent:.0f}"  # 99.9 % is not 100 %
    return f"{said} % of the mean latency{of} was spent {WHERE[most]}"


WHERE = {
    Column.BACKEND_MS: "in the backends",
    Column.BALANCER_MS: "in the balancer",
    Column.CONNECT_MS: "on connecting",
    Column.GENERATOR_MS: "in the network and the generator",
}
