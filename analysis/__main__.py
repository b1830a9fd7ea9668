"""`python -m analysis REPORT_DIRECTORY`: redo a run's tables, pictures, verdict and documents from its ledgers."""

import argparse
import sys
from functools import partial
from pathlib import Path

from rich.table import Table
from rich.text import Text

from analysis.checks.check import Outcome
from analysis.documents.wording import undetected
from analysis.report import report
from analysis.verdict import Verdict
from scenarios.cli.console import Console
from scenarios.cli.exit_codes import ends_in_order
from scenarios.formats.report_directory import PAGE

COLOURS = {Outcome.UNTESTED: "dim", Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.INVALID: "yellow"}

SHORT_S = 2.0  # less is not worth a message


def main() -> None:
    """Analyse, print the verdict, and exit with its code."""
    parser = argparse.ArgumentParser(prog="python -m analysis", description=__doc__)
    parser.add_argument("directory", type=Path, help="a report directory, for example reports/baseline/latest")
    directory = parser.parse_args().directory
    with ends_in_order("analysis"):
        verdict = report(directory, partial(Console(stderr=True).working, after_s=SHORT_S))
        _print(verdict, directory.resolve())
    sys.exit(verdict.outcome.exit_code)


def _print(verdict: Verdict, directory: Path) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("check", "expected", "observed"):
        table.add_column(heading, overflow="fold")
    table.add_column("")
    for check in verdict.checks:
        table.add_row(check.name, check.expected, check.observed, _coloured(check.outcome))
    console = Console()
    console.print(table)
    console.print()
    for check in verdict.checks:
        if check.outcome is Outcome.FAIL:
            console.print(_coloured(check.outcome) + Text(f" {check.name}: {check.meaning} See {check.evidence}."))
        if check.outcome is Outcome.INVALID:
            console.print(
                _coloured(check.outcome) + Text(f" {check.name}, not shown: {check.claim} See {check.evidence}.")
            )
    for name, text in undetected(verdict):
        console.print(Text(f"a finding, {name}: {text}", style="dim"))
    console.print(
        Text(f"{verdict.scenario}: ") + _coloured(verdict.outcome) + Text(f"   {_short(directory)}"), soft_wrap=True
    )
    console.print(Text(f"To read it: {_short(directory / PAGE)}"), soft_wrap=True)


def _coloured(outcome: Outcome) -> Text:
    return Text(outcome, style=COLOURS[outcome])


def _short(directory: Path) -> Path:
    here = Path.cwd()
    return directory.relative_to(here) if directory.is_relative_to(here) else directory


if __name__ == "__main__":
    main()
