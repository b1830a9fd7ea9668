"""The command that judges a run by its report directory."""

import subprocess
import sys

import pytest

from scenarios.formats.report_directory import ReportDirectory
from tests.builders.commands import analyse
from tests.builders.evidence import responses
from tests.builders.made_reports import EXACT, write
from tests.builders.processes import running


@pytest.fixture
def directory(tmp_path):
    return ReportDirectory.new(tmp_path, "made")


def test_analysis_prints_the_verdict_and_exits_with_its_code(directory):
    write(directory, responses(EXACT))
    ended = analyse(directory.path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "split a" in ended.stdout
    *_, verdict, hint = ended.stdout.splitlines()
    assert verdict == f"made: PASS   {directory.path}"
    assert hint == f"To read it: {directory.path}/report.html"


def test_analysis_of_broken_claim_fails(directory):
    write(directory, responses({"a": 500, "b": 333, "c": 167}))
    ended = analyse(directory.path)
    assert ended.returncode == 1
    assert "made: FAIL" in ended.stdout


def test_reader_that_leaves_does_not_change_the_exit_code(directory):
    write(directory, responses(EXACT))
    with running([sys.executable, "-m", "analysis", directory.path], stdout=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.wait(30) == 0


def test_analysis_of_missing_directory_is_refused_in_one_sentence(tmp_path):
    ended = analyse(tmp_path / "nowhere")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("analysis: ")
    assert ended.stderr.count("\n") == 1
