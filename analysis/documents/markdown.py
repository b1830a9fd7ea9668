"""`report.md`: the verdict and its main tables, for where Markdown is read."""

import html
import re
from collections.abc import Iterable, Iterator

import pandas as pd

from analysis.charts.gallery import Picture
from analysis.checks.check import Check
from analysis.documents.findings import Findings
from analysis.documents.sheet import sheet
from analysis.documents.wording import conclusion, consequence, turned, undetected
from analysis.measures.statistics import ALL
from scenarios.formats.columns import Column

MARKS = re.compile(r"([\\`*_\[\]|~])")


def with_pictures(findings: Findings) -> str:
    """The report, with its pictures from the files beside it."""
    details = ["## Pictures", *_pictures(findings.details)]
    return _text([*_verdict(findings), *_pictures(findings.summary), *_body(findings), *details])


def without_pictures(findings: Findings) -> str:
    """The same, for where those files are not."""
    return _text([*_verdict(findings), *_body(findings)])


def _text(blocks: Iterable[str]) -> str:
    return "\n\n".join(blocks) + "\n"


def _verdict(findings: Findings) -> Iterator[str]:
    verdict, manifest = findings.verdict, findings.manifest
    yield f"# {_plain(manifest.scenario.title)}: {verdict.outcome}"
    yield _plain(conclusion(verdict))
    if broken := turned(verdict):
        yield "\n".join(map(_turned, broken))
    if found := undetected(verdict):
        yield "\n".join(f"- A finding, {_plain(name)}: {_plain(text)}" for name, text in found)
    yield _plain(
        f"Scenario {verdict.scenario} on stack {manifest.stack}, commit {manifest.git_commit or 'not known'}. "
        f"The whole report is {findings.run}/report.html."
    )


def _turned(check: Check) -> str:
    told = f"{consequence(check)} Expected {check.expected}; observed {check.observed}. See {check.evidence}."
    return f"- **{check.outcome}** {_plain(check.name)}: {_plain(told)}"


def _body(findings: Findings) -> Iterator[str]:
    yield "## Checks"
    yield _checks(findings.verdict.checks)
    yield "## Split"
    yield _sheet(findings.tables["distribution"])
    yield "## Latency of all backends"
    yield _sheet(_of_all(findings.tables["latency"]))


def _checks(checks: list[Check]) -> str:
    headings = ["outcome", "check", "expected", "observed", "evidence"]
    rows = [(check.outcome, check.name, check.expected, check.observed, check.evidence) for check in checks]
    return table_of(headings, ["---"] * len(headings), rows)


def _of_all(latency: pd.DataFrame) -> pd.DataFrame:
    return latency[latency.index.get_level_values(Column.HOST_TAG) == ALL].droplevel(Column.HOST_TAG)


def _pictures(pictures: list[Picture]) -> Iterator[str]:
    return (f"![{_plain(picture.answer)}]({picture.name}.png)" for picture in pictures)


def _sheet(table: pd.DataFrame) -> str:
    laid_out = sheet("", "", table.reset_index())
    rule = ["---:" if numeric else "---" for numeric in laid_out.numeric]
    return table_of(laid_out.columns, rule, laid_out.rows)


def table_of(headings: list[str], rule: list[str], rows: Iterable[Iterable[str]]) -> str:
    """A table, with `rule` as the line below its headings."""
    return "\n".join([_row(headings), _row(rule), *map(_row, rows)])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: one line, no marks, no HTML."""
    return MARKS.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))
