"""Report directories on disk: sound, and in every odd state that still deserves a report."""

import errno
import json
import os

import pandas as pd
import pytest

from analysis.report import report
from analysis.tools.synthetic_run import make_synthetic_run
from analysis.verdict import Outcome
from scenarios.formats.columns import Column
from scenarios.formats.report_directory import ReportDirectory
from scenarios.spec.errors import UsageError
from tests.builders import evidence
from tests.builders.evidence import response, responses
from tests.builders.made_reports import EXACT, write

TABLES = (
    *("distribution.csv", "latency.csv", "percentiles.csv", "timeline.csv", "stages.csv", "totals.csv"),
    *("processes.csv", "overhead.csv"),
)
DOCUMENTS = ("verdict.json", "junit.xml", "report.md", "report.html")


@pytest.fixture
def directory(tmp_path):
    return ReportDirectory.new(tmp_path, "made")


def test_sound_directory_gives_tables_pictures_and_verdict(directory):
    write(directory, responses(EXACT))
    assert report(directory.path).outcome is Outcome.PASS
    assert {path.name for path in directory.path.iterdir()} == {
        "manifest.json",
        "responses.csv",
        "generator.csv",
        *TABLES,
        "distribution.png",
        "generator.png",
        "latency.png",
        "latency_over_time.png",
        "summary.png",
        "throughput.png",
        *DOCUMENTS,
    }
    document = json.loads((directory.path / "verdict.json").read_text())
    assert document["outcome"] == "PASS"
    told = {"name", "claim", "expected", "observed", "outcome", "evidence", "meaning"}
    assert told | {"kind", "subject", "detail"} == document["checks"][0].keys()


def test_analysing_twice_gives_the_same_tables_and_documents(directory):
    write(directory, responses(EXACT))
    report(directory.path)
    first = [(directory.path / name).read_bytes() for name in (*TABLES, *DOCUMENTS)]
    report(directory.path)
    assert [(directory.path / name).read_bytes() for name in (*TABLES, *DOCUMENTS)] == first


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [response(0, "a")],
        [response(number, status=0, error="refused") for number in range(5)],
        responses({"a": 10, "c": 30}),
        responses({f"back-{number:02}": 5 for number in range(12)}),
    ],
    ids=["empty", "single", "all failed", "one silent", "a dozen strangers"],
)
def test_odd_runs_still_get_a_report(directory, rows):
    write(directory, rows)
    assert report(directory.path).outcome is not Outcome.PASS or len(rows) == 1
    assert (directory.path / "distribution.png").stat().st_size > 0


def test_latest_points_at_the_newest_complete_run(directory, tmp_path):
    write(directory, responses(EXACT))
    aborted = ReportDirectory.new(tmp_path, "made")
    write(aborted, responses(EXACT), complete=False)
    assert (tmp_path / "made" / "latest").resolve() == directory.path
    newest = ReportDirectory.new(tmp_path, "made")
    write(newest, responses(EXACT))
    assert (tmp_path / "made" / "latest").resolve() == newest.path
    assert len({directory.path, aborted.path, newest.path}) == 3


def test_latest_is_set_only_beside_reports_of_the_scenario_and_never_over_a_file(tmp_path):
    elsewhere = ReportDirectory(tmp_path / "elsewhere")
    elsewhere.path.mkdir()
    write(elsewhere, responses(EXACT))
    assert not (tmp_path / "latest").exists()
    mine = tmp_path / "made" / "latest"
    mine.parent.mkdir()
    mine.write_text("mine")
    write(ReportDirectory.new(tmp_path, "made"), responses(EXACT))
    assert mine.read_text() == "mine"


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """A run on a stack, as it left its ledgers."""
    path = tmp_path_factory.mktemp("reports") / "run"
    make_synthetic_run(path, 600)
    return path


def test_odd_names_are_reported_as_they_are(directory):
    names = ["<script>alert(1)</script>", 'a,b "c"', "x" * 60]
    rows = [response(number, names[number % 3], stage="steady") for number in range(600)]
    evidence.write(directory, rows, dict.fromkeys(names, 1))
    assert report(directory.path).outcome is Outcome.PASS
    table = pd.read_csv(directory.path / "distribution.csv")
    assert sorted(table[Column.HOST_TAG]) == sorted(names)


def test_report_that_cannot_be_written_names_the_file_and_leaves_no_draft(directory, monkeypatch):
    write(directory, responses(EXACT))
    report(directory.path)

    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(pd.DataFrame, "to_csv", full)
        with pytest.raises(UsageError, match=r"distribution\.csv: No space left on device"):
            report(directory.path)
    left = {path.name for path in directory.path.iterdir()}
    assert "verdict.json" not in left
    assert not [name for name in left if name.startswith(".")]
