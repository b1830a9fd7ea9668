"""The whole step: a report directory in; tables, pictures, documents and a verdict beside the ledgers out."""

from pathlib import Path

from analysis.evidence import Evidence
from analysis.pictures.gallery import draw
from analysis.tables import Tables
from analysis.verdict import Verdict, judge


def report(directory: Path) -> Verdict:
    """Analyse a run. Raises `UsageError` when its evidence is incomplete or damaged."""
    evidence = Evidence.read(directory)
    tables = Tables.of(evidence)
    verdict = judge(evidence, tables)
    for name, table in tables.files(evidence):
        table.to_csv(directory / f"{name}.csv", lineterminator="\n")
    draw(directory, evidence, tables, verdict)
    (directory / "verdict.json").write_text(verdict.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return verdict
