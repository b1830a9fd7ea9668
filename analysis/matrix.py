"""`python -m analysis.matrix INTO REPORT_DIRECTORY…`: what came of runs with faults, a row each, printed and kept."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import ValidationError
from rich.table import Table

from analysis.checks.check import Check, Outcome
from analysis.checks.faults import AFTERMATH_CSV
from analysis.documents.markdown import table_of
from analysis.documents.wording import turned
from analysis.drafts import drafted, write
from analysis.refusals import told
from analysis.verdict import Verdict
from scenarios.console import Console
from scenarios.errors import UsageError
from scenarios.report_directory import ReportDirectory

MATRIX, TEXT = "matrix.csv", "matrix.md"
DARK = "lost in the dark"


def main() -> None:
    """Print the matrix, keep it, and exit with the code of the worst verdict."""
    parser = argparse.ArgumentParser(prog="python -m analysis.matrix", description=__doc__)
    parser.add_argument("into", type=Path, help="the directory to keep it in")
    parser.add_argument("directories", type=Path, nargs="+", help="report directories of runs with faults")
    options = parser.parse_args()
    with told():
        verdicts = list(map(_verdict, options.directories))
        table = matrix(verdicts, list(map(_aftermath, options.directories)))
        _keep(table, verdicts, options.into)
        _print(table, verdicts, options.into)
    sys.exit(max((verdict.outcome for verdict in verdicts), key=list(Outcome).index).exit_code)


def matrix(verdicts: list[Verdict], aftermaths: list[pd.DataFrame]) -> pd.DataFrame:
    """A row per run: what was predicted and observed of all its faults together, and its verdict."""
    rows = [_row(verdict, table) for verdict, table in zip(verdicts, aftermaths, strict=True)]
    return pd.DataFrame(rows).set_index("scenario")


def _row(verdict: Verdict, table: pd.DataFrame) -> dict[str, str]:
    turned_away = [f"; with nobody alive {check.observed} it" for check in _of(verdict, DARK)]
    return {
        "scenario": verdict.scenario,
        "lost (at most)": f"{table['lost'].sum():,} ({table['may_lose'].sum():,}){''.join(turned_away)}",
        "sent twice": _observed(_of(verdict, "sent twice")),
        "noticed (within)": _slowest(table, "noticed_s", "noticed_within_s"),
        "returned (within)": _slowest(table, "returned_s", "returned_within_s"),
        "exact split": f"{len(_of(verdict, 'split in '))} of {table.attrs['stages']} stages",
        "verdict": "; ".join([verdict.outcome, *(check.name for check in turned(verdict))]),
    }


def _slowest(table: pd.DataFrame, column: str, limit: str) -> str:
    """The longest that was seen, in seconds, and the longest that may be; a dash where nothing is predicted."""
    limited = table[np.isfinite(table[limit])]
    if limited.empty:
        return "-"
    return f"{limited[column].max():.3f} s ({limited[limit].max():g} s)"


def findings(verdicts: list[Verdict]) -> Iterator[str]:
    """What passive checks did not see, in a sentence each."""
    for verdict in verdicts:
        yield from (f"{verdict.scenario}: {check.claim} {check.observed} of it." for check in _of(verdict, "unseen "))


def _verdict(directory: Path) -> Verdict:
    path = directory / "verdict.json"
    try:
        return Verdict.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise UsageError(f"{path}: is damaged: {error.errors(include_url=False)[0]['msg']}") from error


def _aftermath(directory: Path) -> pd.DataFrame:
    path = directory / AFTERMATH_CSV
    try:
        table = pd.read_csv(path, keep_default_na=True)
    except ValueError as error:
        raise UsageError(f"{path}: is damaged: {error}") from error
    table.attrs["stages"] = len(ReportDirectory(directory).manifest().scenario.stages)
    return table


def _of(verdict: Verdict, begin: str) -> list[Check]:
    return [check for check in verdict.checks if check.name.startswith(begin)]


def _observed(checks: list[Check]) -> str:
    return checks[0].observed if checks else "not known"


def _keep(table: pd.DataFrame, verdicts: list[Verdict], into: Path) -> None:
    with drafted(into / MATRIX) as draft:
        table.to_csv(draft, lineterminator="\n")
    headings = ["scenario", *table.columns]
    rows = ([str(name), *map(str, row)] for name, row in zip(table.index, table.to_numpy(), strict=True))
    text = table_of(headings, ["---"] * len(headings), rows)
    write(into / TEXT, "\n".join([text, "", *(f"- {finding}" for finding in findings(verdicts))]) + "\n")


def _print(table: pd.DataFrame, verdicts: list[Verdict], into: Path) -> None:
    shown = Table(box=None, pad_edge=False)
    for heading in ("scenario", *table.columns):
        shown.add_column(heading, overflow="fold")
    for name, row in zip(table.index, table.to_numpy(), strict=True):
        shown.add_row(str(name), *map(str, row))
    console = Console()
    console.print(shown)
    for finding in findings(verdicts):
        console.print(f"a finding: {finding}", markup=False)
    console.print(f"kept in {into}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
