"""Writes the documents of a report, each whole or not at all."""

import os
from collections.abc import Mapping
from pathlib import Path

from analysis.documents.findings import Findings
from analysis.documents.junit import junit
from analysis.documents.markdown import with_pictures, without_pictures
from analysis.documents.page import page
from scenarios.errors import UsageError

PAGE = "report.html"
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def publish(findings: Findings, environment: Mapping[str, str] = os.environ) -> None:
    """Write every document beside the ledgers, and the step's summary where GitHub asks for one.

    Raises `UsageError` when that summary cannot be written; the documents are complete by then.
    """
    _write(findings.directory / "verdict.json", findings.verdict.model_dump_json(indent=2) + "\n")
    _write(findings.directory / "junit.xml", junit(findings))
    _write(findings.directory / "report.md", with_pictures(findings))
    _write(findings.directory / PAGE, page(findings))
    if path := environment.get(STEP_SUMMARY):
        _append(Path(path), without_pictures(findings))


def _write(path: Path, text: str) -> None:
    """Under a name that nobody reads until it is complete."""
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{STEP_SUMMARY} is {path}: {error.strerror}; the report itself is complete") from error
