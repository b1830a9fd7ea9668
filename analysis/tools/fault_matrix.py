"""`python -m analysis.tools.fault_matrix INTO REPORT_DIRECTORY…`: prints and keeps a row per run with faults."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from pydantic import ValidationError
from rich.table import Table

from analysis.checks.check import CheckKind, Outcome
from analysis.checks.faults import LOST_IN_BLACKOUT, SENT_TWICE
from analysis.checks.sources import AFTERMATH
from analysis.documents.markdown import table_of
from analysis.documents.wording import turned, undetected
from analysis.verdict import Verdict
from scenarios.cli.console import Console
from scenarios.cli.exit_codes import ends_in_order
from scenarios.formats.atomic_write import atomic, write
from scenarios.formats.columns import Column
from scenarios.formats.report_directory import VERDICT, ReportDirectory
from scenarios.spec.errors import UsageError

MATRIX, TEXT = "matrix.csv", "matrix.md"
UNKNOWN = "not known"


@dataclass(frozen=True)
class Broken:
    """A run with faults that was judged. Of one whose ledgers are not all there `aftermath` is not known."""

    verdict: Verdict
    stages: int
    aftermath: pd.DataFrame | None

    @classmethod
    def read(cls, directory: Path) -> Self:
        """From its report directory. Raises `UsageError` where it is damaged, `OSError` where it was not judged."""
        stages = len(ReportDirectory(directory).manifest().scenario.stages)
        return cls(_verdict(directory / VERDICT), stages, _aftermath(directory / AFTERMATH.file))

    def observed(self, kind: CheckKind, default: str) -> str:
        """What the first check of this kind observed; `default` where there is none."""
        return next((check.observed for check in self.verdict.checks if check.kind is kind), default)


def main() -> None:
    """Print the matrix, keep it, and exit with the code of the worst verdict."""
    parser = argparse.ArgumentParser(prog="python -m analysis.tools.fault_matrix", description=__doc__)
    parser.add_argument("into", type=Path, help="the directory to keep it in")
    parser.add_argument("directories", type=Path, nargs="+", help="report directories of runs with faults")
    options = parser.parse_args()
    with ends_in_order("analysis"):
        runs = list(map(Broken.read, options.directories))
        table = matrix(runs)
        _keep(table, runs, options.into)
        _print(table, runs, options.into)
    sys.exit(max((run.verdict.outcome for run in runs), key=list(Outcome).index).exit_code)


def matrix(runs: Iterable[Broken]) -> pd.DataFrame:
    """A row per run: what was predicted and observed of all its faults together, and its verdict."""
    return pd.DataFrame([_row(run) for run in runs]).set_index("scenario")


def findings(runs: Iterable[Broken]) -> Iterator[str]:
    """What passive checks did not detect, and what would help, in a few sentences each."""
    for run in runs:
        yield from (f"{run.verdict.scenario}: {text}" for _, text in undetected(run.verdict))


def _row(run: Broken) -> dict[str, str]:
    return {
        "scenario": run.verdict.scenario,
        "lost (at most)": _lost(run.aftermath),
        "turned away": run.observed(LOST_IN_BLACKOUT, "-"),
        "sent twice": run.observed(SENT_TWICE, UNKNOWN),
        "noticed s (at most)": _slowest(run.aftermath, Column.NOTICED_S, Column.NOTICED_WITHIN_S),
        "back s (at most)": _slowest(run.aftermath, Column.RETURNED_S, Column.RETURNED_WITHIN_S),
        "exact split": f"{len(run.verdict.of_stages)} of {run.stages} stages",
        "verdict": "; ".join([run.verdict.outcome, *(check.name for check in turned(run.verdict))]),
    }


def _lost(aftermath: pd.DataFrame | None) -> str:
    return UNKNOWN if aftermath is None else f"{aftermath[Column.LOST].sum():,} ({aftermath[Column.MAY_LOSE].sum():,})"


def _slowest(aftermath: pd.DataFrame | None, column: str, limit: str) -> str:
    """The longest that was seen, in seconds, and the longest that may be; a dash where nothing is predicted."""
    if aftermath is None:
        return UNKNOWN
    limited = aftermath[np.isfinite(aftermath[limit])]
    if limited.empty:
        return "-"
    return f"{limited[column].max():.3f} ({limited[limit].max():g})"


def _verdict(path: Path) -> Verdict:
    try:
        return Verdict.read(path.read_bytes())
    except ValidationError as error:
        raise UsageError(f"{path}: is damaged: {error.errors(include_url=False)[0]['msg']}") from error


def _aftermath(path: Path) -> pd.DataFrame | None:
    if not path.exists():
        return None
    try:
        return pd.read_csv(path)
    except ValueError as error:
        raise UsageError(f"{path}: is damaged: {error}") from error


def _keep(table: pd.DataFrame, runs: list[Broken], into: Path) -> None:
    with atomic(into / MATRIX) as draft:
        table.to_csv(draft, lineterminator="\n")
    headings = ["scenario", *table.columns]
    rows = ([str(name), *map(str, row)] for name, row in zip(table.index, table.to_numpy(), strict=True))
    text = table_of(headings, ["---"] * len(headings), rows)
    write(into / TEXT, "\n".join([text, "", *(f"- {finding}" for finding in findings(runs))]) + "\n")


def _print(table: pd.DataFrame, runs: list[Broken], into: Path) -> None:
    shown = Table(box=None, pad_edge=False)
    shown.add_column("scenario", no_wrap=True)
    for heading in table.columns:
        shown.add_column(heading, overflow="fold")
    for name, row in zip(table.index, table.to_numpy(), strict=True):
        shown.add_row(str(name), *map(str, row))
    console = Console()
    console.print(shown)
    for finding in findings(runs):
        console.print(f"a finding: {finding}", markup=False)
    console.print(f"kept in {into}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
