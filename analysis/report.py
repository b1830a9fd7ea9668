"""The whole step: a report directory in; tables, pictures, documents and a verdict beside the ledgers out."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from analysis.charts.gallery import PICTURES, draw
from analysis.documents.captions import CAPTIONS
from analysis.documents.findings import Findings
from analysis.documents.publishing import DOCUMENTS, publish
from analysis.evidence.evidence import Evidence
from analysis.tables import Tables
from analysis.verdict import Verdict, judge
from scenarios.formats.atomic_write import atomic

Working = Callable[[str], AbstractContextManager[None]]


def report(directory: Path, working: Working = lambda _: nullcontext()) -> Verdict:
    """Analyse a run; `working` is told what takes a while. Raises `UsageError` when its evidence is damaged."""
    with working("reading the ledgers"):
        evidence = Evidence.read(directory)
    with working("joining them, and judging"):
        tables = Tables.of(evidence)
        verdict = judge(evidence, tables)
        files = dict(tables.files(evidence))
        _withdraw(directory)
        for name, table in files.items():
            with atomic(directory / f"{name}.csv") as draft:
                table.to_csv(draft, lineterminator="\n")
    with working("drawing"):
        pictures = draw(directory, evidence, tables, verdict)
    publish(Findings(directory, evidence.manifest, verdict, files, pictures))
    return verdict


def _withdraw(directory: Path) -> None:
    """Take away what an earlier analysis had to say, the verdict first: half of it would be worse than nothing."""
    for name in (*DOCUMENTS, *(f"{name}.csv" for name in CAPTIONS), *(f"{name}.png" for name in PICTURES)):
        (directory / name).unlink(missing_ok=True)
