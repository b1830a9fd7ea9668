"""Writes the documents of a report, each whole or not at all."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from analysis.documents.findings import Findings
from analysis.documents.junit import junit
from analysis.documents.markdown import with_pictures, without_pictures
from analysis.documents.page import page
from analysis.drafts import write

PAGE = "report.html"
DOCUMENTS = ("verdict.json", "junit.xml", "report.md", PAGE)
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def publish(findings: Findings, environment: Mapping[str, str] = os.environ) -> None:
    """Write every document beside the ledgers, and the step's summary where GitHub asks for one.

    That one is not the report's own: if it cannot be written, that is said, and changes nothing.
    """
    write(findings.directory / "verdict.json", findings.verdict.model_dump_json(indent=2) + "\n")
    write(findings.directory / "junit.xml", junit(findings))
    write(findings.directory / "report.md", with_pictures(findings))
    write(findings.directory / PAGE, page(findings))
    if path := environment.get(STEP_SUMMARY):
        _append(Path(path), without_pictures(findings))


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        print(f"analysis: {STEP_SUMMARY} is {path}: {error.strerror}; the report is complete", file=sys.stderr)
