"""`python -m analysis.bench DIRECTORY`: what a request cost each client, from `bench.csv`; a table and a picture."""

import argparse
import sys
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from analysis.frames import dtypes_of
from analysis.pictures.sheet import EDGE, WIDTH, Box, place, save, sheet
from analysis.pictures.style import COLOURS, GREY, INK, styled
from analysis.pictures.text import widest
from analysis.refusals import USAGE
from analysis.resources import MIB
from scenarios.console import Console
from scenarios.ledgers import BENCH, Effort

OURS, STOCK = "this project", "FastHttpUser"
HEADINGS = {
    "cpu_us": ("CPU µs", "{:,.0f}"),
    "ratio": ("ratio", "{:.2f}"),
    "per_second": ("req/s", "{:,.0f}"),
    "client_p50_ms": ("p50 ms", "{:,.1f}"),
    "client_p99_ms": ("p99 ms", "{:,.1f}"),
    "balancer_p50_ms": ("nginx p50", "{:,.0f}"),
    "balancer_p99_ms": ("nginx p99", "{:,.0f}"),
    "memory_mib": ("MiB", "{:,.0f}"),
}


def main() -> None:
    """Compute, write and print."""
    parser = argparse.ArgumentParser(prog="python -m analysis.bench", description=__doc__)
    parser.add_argument("directory", type=Path, help="a directory that `make bench` made")
    directory = parser.parse_args().directory
    try:
        efforts = pd.read_csv(directory / BENCH).astype(dtypes_of(Effort))
    except (OSError, ValueError, KeyError) as error:
        print(f"analysis: {directory / BENCH}: {error}", file=sys.stderr)
        sys.exit(USAGE)
    table = medians(efforts)
    table.round(4).to_csv(directory / "medians.csv", lineterminator="\n")
    with styled():
        save(bench_figure(table, int(efforts["round"].max())), directory / "bench.png")
    _print(table, directory)


def medians(efforts: pd.DataFrame) -> pd.DataFrame:
    """A row per client, the median of its rounds: CPU in µs per request without starting up, and as a ratio.

    The ratio is of the same round's stock client, so that it does not depend on how fast the machine was just then.
    `per_second` counts requests, `memory_mib` is the peak.
    """
    cpu_us = 1e6 * (efforts["cpu_s"] - efforts["small_cpu_s"]) / (efforts["requests"] - efforts["small_requests"])
    stock_us = efforts["round"].map(cpu_us[efforts["client"] == STOCK].set_axis(_rounds_of(efforts, STOCK)))
    rows = efforts.assign(
        cpu_us=cpu_us,
        ratio=cpu_us / stock_us,
        per_second=efforts["requests"] / efforts["seconds"],
        memory_mib=efforts["memory_peak_bytes"] / MIB,
    )
    return rows.groupby("client", sort=False)[list(HEADINGS)].median().sort_values("cpu_us")


def _rounds_of(efforts: pd.DataFrame, client: str) -> pd.Series:
    return efforts["round"][efforts["client"] == client]


def bench_figure(medians: pd.DataFrame, rounds: int) -> Figure:
    """What does a request cost each client?"""
    height = 0.42 * len(medians)
    ratio = medians["ratio"].get(OURS, float("nan"))
    figure = sheet(f"A request costs this project {ratio:.2f} of what it costs {STOCK}", height + 0.7)
    left = EDGE + widest(list(medians.index)) + 0.15
    axes = place(figure, Box(left, 0.7, WIDTH - left - 0.6, height))
    draw_costs(medians, axes)
    axes.set_xlabel(f"µs of CPU per request, median of {rounds} rounds")
    return figure


def draw_costs(medians: pd.DataFrame, axes: Axes) -> None:
    """A bar per client."""
    colours = [COLOURS[0] if client == OURS else GREY for client in medians.index]
    axes.barh(list(medians.index), medians["cpu_us"], color=colours, height=0.6)
    for row, cost in enumerate(medians["cpu_us"]):
        axes.annotate(f"{cost:,.0f}", (cost, row), xytext=(5, 0), textcoords="offset points", va="center", color=INK)
    axes.set_ylim(len(medians) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, labelcolor=INK)


def _print(medians: pd.DataFrame, directory: Path) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("client")
    for heading, _ in HEADINGS.values():
        table.add_column(heading, justify="right")
    for client, row in medians.iterrows():
        table.add_row(str(client), *(form.format(row[name]) for name, (_, form) in HEADINGS.items()))
    console = Console()
    console.print(table)
    console.print(
        f"\nCPU µs: per request, without starting up; ratio: of {STOCK}'s in the same round; median of the rounds"
    )
    console.print(str(directory), soft_wrap=True)


if __name__ == "__main__":
    main()
