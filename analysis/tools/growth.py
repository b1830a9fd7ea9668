"""`python -m analysis.tools.growth`: how the time and memory of an analysis grow with the run.

The runs are synthetic (analysis.tools.synthetic_run). `python -m analysis` analyses each, from start to verdict.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from analysis.charts.drawing.scales import number
from analysis.charts.drawing.sheet import AXIS, EDGE, WIDTH, Box, grid, save, sheet
from analysis.charts.drawing.style import BAND, INK, styled
from analysis.measures.resources import MIB
from analysis.tools.synthetic_run import make_synthetic_run
from scenarios.cli.console import Console
from scenarios.cli.exit_codes import ends_in_order
from scenarios.formats.columns import Column
from scenarios.formats.report_directory import ReportDirectory
from scenarios.spec.errors import UsageError

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
REPORTS = Path(__file__).parents[2] / "reports"
KIB = 1024  # the unit of the kernel for memory
MEASURES = {Column.SECONDS: "seconds", Column.MEMORY_PEAK_MIB: "peak memory in MiB"}
HEIGHT, MARGIN = 3.4, 0.75  # in inches


def main() -> None:
    """Make a run of every size, analyse each, and report the time and memory."""
    parser = argparse.ArgumentParser(prog="python -m analysis.tools.growth", description=__doc__)
    parser.add_argument("requests", type=int, nargs="*", default=SIZES, help="of each run (1,000 to 10,000,000)")
    parser.add_argument("--reports", type=Path, default=REPORTS, help="the folder of the reports")
    options = parser.parse_args()
    sizes = options.requests
    with ends_in_order("analysis"):
        if min(sizes) < 1:
            raise UsageError("a run needs at least one request")
        directory = ReportDirectory.new(options.reports.resolve(), "growth").path
        growth = pd.DataFrame(_measured(sizes))
        growth.round(3).to_csv(directory / "growth.csv", index=False, lineterminator="\n")
        with styled():
            save(growth_figure(growth), directory / "growth.png")
    print(growth.round(1).to_string(index=False))
    print(directory)


def _measured(sizes: list[int]) -> Iterator[dict[str, float]]:
    console = Console(stderr=True)
    for requests in sizes:
        with tempfile.TemporaryDirectory(prefix="growth-") as place, console.working(f"{requests:,} requests"):
            run = Path(place) / "run"
            make_synthetic_run(run, requests)
            ledgers_mib = sum(path.stat().st_size for path in run.iterdir()) / MIB
            yield {Column.REQUESTS: requests, "ledgers_mib": ledgers_mib} | _analysed(run)


def _analysed(run: Path) -> dict[str, float]:
    """Run the analysis; return its seconds and its peak memory in MiB."""
    began = time.monotonic()
    command = subprocess.Popen([sys.executable, "-m", "analysis", str(run)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(command.pid, 0)
    command.returncode = os.waitstatus_to_exitcode(status)
    if command.returncode:
        raise UsageError(f"{run}: the analysis ended with exit code {command.returncode}")
    return {Column.SECONDS: time.monotonic() - began, Column.MEMORY_PEAK_MIB: used.ru_maxrss * KIB / MIB}


def growth_figure(growth: pd.DataFrame) -> Figure:
    """Draw the time and memory of an analysis by the number of requests."""
    largest = growth.iloc[growth[Column.REQUESTS].argmax()]
    memory_gib = largest[Column.MEMORY_PEAK_MIB] / KIB
    seconds, requests = largest[Column.SECONDS], largest[Column.REQUESTS]
    answer = f"{requests:,.0f} requests take {seconds:,.0f} s and {memory_gib:,.1f} GiB to analyse"
    figure = sheet(answer, HEIGHT + AXIS + EDGE)
    box = Box(EDGE + MARGIN, AXIS, WIDTH - 2 * EDGE - MARGIN, HEIGHT)
    panels = grid(figure, box, len(MEASURES), len(MEASURES), (MARGIN + EDGE, 0.0))
    for (column, label), axes in zip(MEASURES.items(), panels, strict=True):
        draw_growth(growth, column, axes)
        axes.set_ylabel(label)
        axes.set_xlabel("requests; grey: proportional growth")
    return figure


def draw_growth(growth: pd.DataFrame, column: str, axes: Axes) -> None:
    """Draw one measure by the number of requests, and proportional growth in grey."""
    largest = growth.iloc[growth[Column.REQUESTS].argmax()]
    linear = largest[column] * growth[Column.REQUESTS] / largest[Column.REQUESTS]
    axes.plot(growth[Column.REQUESTS], linear, color=BAND, linewidth=2)
    axes.plot(growth[Column.REQUESTS], growth[column], color=INK, marker="o")
    for requests, value in zip(growth[Column.REQUESTS], growth[column], strict=True):
        place = (requests, value)
        axes.annotate(f"{value:,.0f}", place, (-4, 8), textcoords="offset points", ha="right", color=INK)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(growth[Column.REQUESTS].min() / 6, 2 * growth[Column.REQUESTS].max())
    axes.set_ylim(growth[column].min() / 2, 2.5 * growth[column].max())
    for axis, steps in ((axes.xaxis, (1,)), (axes.yaxis, (1, 2, 5))):
        axis.set_major_locator(LogLocator(subs=steps))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


if __name__ == "__main__":
    main()
