"""`python -m analysis.comparison [A [B]]`: what changed from run A to run B, and whether it is more than noise."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from rich.table import Table
from rich.text import Text

from analysis.comparison.change import Change
from analysis.comparison.claims import Claimed
from analysis.comparison.comparability import Circumstance, Weight
from analysis.comparison.comparison import Comparison
from analysis.comparison.files import ROOM, write
from analysis.comparison.run import ComparedRun
from analysis.comparison.selection import chosen
from analysis.comparison.words import percent
from scenarios.cli.console import Console
from scenarios.cli.exit_codes import ends_in_order
from scenarios.formats.columns import Column
from scenarios.formats.report_directory import ReportDirectory

COLOURS = {Change.SAME: "green", Change.BETTER: "cyan", Change.WORSE: "red", Change.UNKNOWN: "yellow"}


def main() -> None:
    """Compare, write, print, and exit with the code of the comparison."""
    options = _parser().parse_args()
    with ends_in_order("analysis"):
        before, after = chosen(options.reports, options.a, options.b, options.scenario)
        comparison = Comparison.of(ComparedRun.read(before), ComparedRun.read(after))
        directory = ReportDirectory.new(options.reports, ROOM).path
        write(comparison, directory)
        _print(comparison, directory)
    sys.exit(comparison.exit_code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis.comparison", description=__doc__)
    parser.add_argument("a", nargs="?", type=_path, help="the run before; '' for the one before B")
    parser.add_argument("b", nargs="?", type=_path, help="the run after, usually the newest")
    parser.add_argument("--scenario", help="choose among the runs of this one")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="where reports are kept")
    return parser


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _print(comparison: Comparison, directory: Path) -> None:
    console = Console()
    console.print(f"A {comparison.a}\nB {comparison.b}\n", markup=False, soft_wrap=True)
    for table in _tables(comparison):
        console.print(table)
        console.print()
    console.print(f"{comparison.sentence}.   {directory}", markup=False, soft_wrap=True)


def _tables(comparison: Comparison) -> Iterator[Table]:
    """What has to be known about the two; then what is exact, latency, and the cost."""
    differing = [condition for condition in comparison.conditions if condition.weight is not Weight.SAME]
    if differing:
        yield _conditions(differing)
    if comparison.latency is not None and comparison.effort is not None:
        yield _claims(comparison.claims)
        yield _latency(comparison.latency)
        if len(comparison.effort):
            yield _bench_row(comparison.effort)


def _conditions(differing: list[Circumstance]) -> Table:
    table = _headed("differs", "A", "B", "")
    for condition in differing:
        colour = "red" if condition.weight is Weight.FORBIDS else "dim"
        table.add_row(condition.what, condition.a, condition.b, Text(condition.weight, style=colour))
    return table


def _claims(claims: list[Claimed]) -> Table:
    table = _headed("claim", "A", "B", "")
    for claim in claims:
        if claim.outcome is not Change.SAME or claim.kind.is_always_compared:
            table.add_row(claim.what, claim.a, claim.b, _coloured(claim.outcome))
    return table


def _latency(latency: pd.DataFrame) -> Table:
    table = _headed("p50 in ms", "stage", "A", "B", "change", "at least", "at most", "")
    for row in latency.reset_index().to_dict("records"):
        table.add_row(
            row[Column.HOST_TAG],
            row[Column.STAGE],
            *(f"{row[name]:,.1f}" for name in ("a_p50_ms", "b_p50_ms")),
            *(percent(row[name]) for name in (Column.RATIO, Column.LOWEST, Column.HIGHEST)),
            _coloured(row["outcome"]),
        )
    return table


def _bench_row(effort: pd.DataFrame) -> Table:
    table = _headed("CPU ms per request", "A", "B", "change, not judged")
    for service, row in effort.iterrows():
        table.add_row(str(service), f"{row['a_cpu_ms']:.2f}", f"{row['b_cpu_ms']:.2f}", percent(row[Column.RATIO]))
    return table


def _headed(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _coloured(change: Change) -> Text:
    return Text(change, style=COLOURS[change])


if __name__ == "__main__":
    main()
