"""Writes the documents of a report, each complete or not at all."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from analysis.documents.findings import Findings
from analysis.documents.junit import junit
from analysis.documents.markdown import with_pictures, without_pictures
from analysis.documents.page import page
from scenarios.formats.atomic_write import write
from scenarios.formats.report_directory import PAGE, VERDICT

DOCUMENTS = (VERDICT, "junit.xml", "report.md", PAGE)
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def publish(findings: Findings, environment: Mapping[str, str] = os.environ) -> None:
    """Write every document beside the ledgers, and the summary of the step where GitHub asks for one.

    The summary is not part of the report: a failure to write it prints a message and changes nothing.
    """
    write(findings.directory / VERDICT, findings.verdict.model_dump_json(indent=2) + "\n")
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
