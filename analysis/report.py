"""The whole step: a report directory in; tables, pictures, documents and a verdict beside the ledgers out."""

from pathlib import Path

from analysis.documents.findings import Findings
from analysis.documents.publishing import publish
from analysis.evidence import Evidence
from analysis.pictures.gallery import draw
from analysis.tables import Tables
from analysis.verdict import Verdict, judge


def report(directory: Path) -> Verdict:
    """Analyse a run. Raises `UsageError` when its evidence is incomplete or damaged."""
    evidence = Evidence.read(directory)
    tables = Tables.of(evidence)
    verdict = judge(evidence, tables)
    files = dict(tables.files(evidence))
    for name, table in files.items():
        table.to_csv(directory / f"{name}.csv", lineterminator="\n")
    pictures = draw(directory, evidence, tables, verdict)
    publish(Findings(directory, evidence.manifest, verdict, files, pictures))
    return verdict
