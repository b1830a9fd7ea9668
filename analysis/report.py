"""The whole step: a report directory in; tables, pictures, documents and a verdict beside the ledgers out."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from analysis.documents.findings import Findings
from analysis.documents.publishing import publish
from analysis.evidence import Evidence
from analysis.pictures.gallery import draw
from analysis.tables import Tables
from analysis.verdict import Verdict, judge

Working = Callable[[str], AbstractContextManager[None]]


def report(directory: Path, working: Working = lambda _: nullcontext()) -> Verdict:
    """Analyse a run; `working` is told what takes a while. Raises `UsageError` when its evidence is damaged."""
    with working("reading the ledgers"):
        evidence = Evidence.read(directory)
    with working("joining them, and judging"):
        tables = Tables.of(evidence)
        verdict = judge(evidence, tables)
        files = dict(tables.files(evidence))
        for name, table in files.items():
            table.to_csv(directory / f"{name}.csv", lineterminator="\n")
    with working("drawing"):
        pictures = draw(directory, evidence, tables, verdict)
    publish(Findings(directory, evidence.manifest, verdict, files, pictures))
    return verdict
