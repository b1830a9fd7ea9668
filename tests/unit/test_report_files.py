"""The page on the files of a report: every table, every column, in order."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.tables import Tables
from scenarios.formats.columns import header
from scenarios.formats.rows import (
    BACKENDS,
    BALANCER,
    FAULTS,
    GENERATOR,
    RESOURCES,
    RESPONSES,
    AppliedFault,
    Balanced,
    GeneratorSample,
    Processed,
    Resource,
    Response,
)
from scenarios.stacks.stack import PROJECT
from tests.builders.broken_run import broken_run
from tests.builders.evidence import frame, responses, three_ledgers

LEDGERS = {
    RESPONSES: Response,
    BALANCER: Balanced,
    BACKENDS: Processed,
    GENERATOR: GeneratorSample,
    RESOURCES: Resource,
    FAULTS: AppliedFault,
}
PAGE = Path(PROJECT / "docs" / "report-files.md").read_text(encoding="utf-8")


def documented():
    """The columns that the page names, by file."""
    sections = re.split(r"^### `(.+)`$", PAGE.split("\n## The others")[0], flags=re.MULTILINE)[1:]
    return {
        name: re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }


@pytest.fixture(scope="module")
def written():
    """The columns that a run on a whole stack writes, by file."""
    made = three_ledgers(responses({"a": 1, "b": 2}), {"a": 1, "b": 2})
    sample = Resource(*(kind() for kind in Resource.__annotations__.values()))._replace(service="a", state="running")
    used = [sample._replace(at_us=second * 1_000_000) for second in range(3)]
    made = replace(made, resources=frame(used, Resource))
    tables = {
        f"{name}.csv": table.reset_index() for run in (broken_run(), made) for name, table in Tables.of(run).files(run)
    }
    columns = {name: [str(column) for column in table if column != "index"] for name, table in tables.items()}
    return columns | {name: list(header(row)) for name, row in LEDGERS.items()}


def test_every_file_and_no_other_is_documented(written):
    assert sorted(documented()) == sorted(written)


def test_every_column_is_documented_in_its_place(written):
    assert documented() == written


def test_every_picture_is_drawn_from_tables_that_are_documented():
    rows = re.findall(r"^\| `(\w+\.png)`.*\| (`.*`) \|$", PAGE, flags=re.MULTILINE)
    assert len(rows) > 9
    assert {name for _, tables in rows for name in re.findall(r"`(.+?)`", tables)} <= documented().keys()
