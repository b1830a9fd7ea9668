"""`python -m analysis.tools.bench DIRECTORY`: a table and a picture of the CPU cost of a request, by client."""

import argparse
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from analysis.charts.drawing.sheet import EDGE, WIDTH, Box, place, save, sheet
from analysis.charts.drawing.style import COLOURS, GREY, INK, styled
from analysis.charts.drawing.text import widest
from analysis.evidence.frames import dtypes_of
from analysis.measures.resources import MIB
from scenarios.cli.console import Console
from scenarios.cli.exit_codes import ends_in_order
from scenarios.formats.columns import Column
from scenarios.formats.rows import BENCH, BenchRow
from scenarios.spec.errors import UsageError

OURS, STOCK = "this project", "FastHttpUser"
HEADINGS = {
    Column.CPU_US: ("CPU µs", "{:,.0f}"),
    Column.RATIO: (Column.RATIO, "{:.2f}"),
    "per_second": ("req/s", "{:,.0f}"),
    Column.CLIENT_P50_MS: ("p50 ms", "{:,.1f}"),
    Column.CLIENT_P99_MS: ("p99 ms", "{:,.1f}"),
    Column.BALANCER_P50_MS: ("nginx p50", "{:,.0f}"),
    Column.BALANCER_P99_MS: ("nginx p99", "{:,.0f}"),
    Column.MEMORY_MIB: ("MiB", "{:,.0f}"),
}


def main() -> None:
    """Compute the medians, write and print them."""
    parser = argparse.ArgumentParser(prog="python -m analysis.tools.bench", description=__doc__)
    parser.add_argument("directory", type=Path, help="a directory that `make bench` made")
    directory = parser.parse_args().directory
    with ends_in_order("analysis"):
        bench_rows = _read(directory / BENCH)
        table = medians(bench_rows)
        table.round(4).to_csv(directory / "medians.csv", lineterminator="\n")
        with styled():
            save(bench_figure(table, int(bench_rows[Column.ROUND].max())), directory / "bench.png")
        _print(table, directory)


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path).astype(dtypes_of(BenchRow))
    except (ValueError, KeyError) as error:
        raise UsageError(f"{path}: {error}") from error


def medians(bench_rows: pd.DataFrame) -> pd.DataFrame:
    """A row per client, the median of its rounds: CPU in µs per request without its start-up, and as a ratio.

    The ratio is to the stock client in the same round, so it does not depend on the machine's speed in that round.
    `per_second` counts requests, `memory_mib` is the peak.
    """
    cpu_us = (
        1e6
        * (bench_rows[Column.CPU_S] - bench_rows[Column.SMALL_CPU_S])
        / (bench_rows[Column.REQUESTS] - bench_rows[Column.SMALL_REQUESTS])
    )
    stock_us = bench_rows[Column.ROUND].map(
        cpu_us[bench_rows[Column.CLIENT] == STOCK].set_axis(_rounds_of(bench_rows, STOCK))
    )
    rows = bench_rows.assign(
        **{Column.CPU_US: cpu_us, Column.RATIO: cpu_us / stock_us},
        per_second=bench_rows[Column.REQUESTS] / bench_rows[Column.SECONDS],
        **{Column.MEMORY_MIB: bench_rows[Column.MEMORY_PEAK_BYTES] / MIB},
    )
    return rows.groupby(Column.CLIENT, sort=False)[list(HEADINGS)].median().sort_values(Column.CPU_US)


def _rounds_of(bench_rows: pd.DataFrame, client: str) -> pd.Series:
    return bench_rows[Column.ROUND][bench_rows[Column.CLIENT] == client]


def bench_figure(medians: pd.DataFrame, rounds: int) -> Figure:
    """Draw the CPU cost of a request, by client."""
    height = 0.42 * len(medians)
    ratio = medians[Column.RATIO].get(OURS, float("nan"))
    figure = sheet(f"A request costs this project {ratio:.2f} times the CPU of {STOCK}", height + 0.7)
    left = EDGE + widest(list(medians.index)) + 0.15
    axes = place(figure, Box(left, 0.7, WIDTH - left - 0.6, height))
    draw_costs(medians, axes)
    axes.set_xlabel(f"µs of CPU per request, median of {rounds} rounds")
    return figure


def draw_costs(medians: pd.DataFrame, axes: Axes) -> None:
    """Draw a bar per client."""
    colours = [COLOURS[0] if client == OURS else GREY for client in medians.index]
    axes.barh(list(medians.index), medians[Column.CPU_US], color=colours, height=0.6)
    for row, cost in enumerate(medians[Column.CPU_US]):
        axes.annotate(f"{cost:,.0f}", (cost, row), xytext=(5, 0), textcoords="offset points", va="center", color=INK)
    axes.set_ylim(len(medians) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, labelcolor=INK)


def _print(medians: pd.DataFrame, directory: Path) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column(Column.CLIENT)
    for heading, _ in HEADINGS.values():
        table.add_column(heading, justify="right")
    for client, row in medians.iterrows():
        table.add_row(str(client), *(form.format(row[name]) for name, (_, form) in HEADINGS.items()))
    console = Console()
    console.print(table)
    console.print(
        f"\nCPU µs: per request, without start-up; ratio: to {STOCK} in the same round; medians of the rounds"
    )
    console.print(str(directory), soft_wrap=True)


if __name__ == "__main__":
    main()
