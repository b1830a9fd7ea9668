"""What a run came to: everything that a document is made of."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.charts.gallery import Picture
from analysis.verdict import Verdict
from scenarios.formats.report_directory import Manifest

SUMMARY = "summary"  # the picture that stands before all others


@dataclass(frozen=True)
class Findings:
    """A judged run: its tables by name, as they were written to `<name>.csv`, and its pictures in reading order."""

    directory: Path
    manifest: Manifest
    verdict: Verdict
    tables: dict[str, pd.DataFrame]
    pictures: list[Picture]

    @property
    def run(self) -> str:
        """The directory as a person types it: `reports/<scenario>/<UTC time>`."""
        return "/".join(self.directory.resolve().parts[-3:])

    @property
    def summary(self) -> list[Picture]:
        """The picture that says it all, where there is one."""
        return [picture for picture in self.pictures if picture.name == SUMMARY]

    @property
    def details(self) -> list[Picture]:
        """All the other pictures."""
        return [picture for picture in self.pictures if picture.name != SUMMARY]
