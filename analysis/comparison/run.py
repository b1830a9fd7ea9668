"""One of the two runs: its evidence, what was computed from it, and its verdict."""

from pathlib import Path
from typing import NamedTuple

from analysis.evidence.evidence import Evidence
from analysis.tables import Tables
from analysis.verdict import Verdict, judge


class ComparedRun(NamedTuple):
    """A run, judged anew from its ledgers. `name` is that of its scenario and of its directory."""

    name: str
    evidence: Evidence
    tables: Tables
    verdict: Verdict

    @classmethod
    def read(cls, directory: Path) -> "ComparedRun":
        """Read and judge. Raises `UsageError` when the evidence was cut off or changed."""
        evidence = Evidence.read(directory)
        tables = Tables.of(evidence)
        name = f"{evidence.manifest.scenario.name}/{directory.resolve().name}"
        return cls(name, evidence, tables, judge(evidence, tables))
