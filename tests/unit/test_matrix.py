"""The matrix of what came of runs with faults: a row each, kept, printed, and its exit code."""

import subprocess
import sys

import pandas as pd
import pytest

from analysis.matrix import Broken, findings, matrix
from analysis.tables import Tables
from analysis.verdict import judge
from tests.conftest import PROJECT
from tests.unit.broken_run import broken_run, strike
from tests.unit.runs import in_the_dark, struck


def kept(path, made):
    """What is in a report directory of this run, as far as the matrix reads it."""
    path.mkdir()
    tables = Tables.of(made)
    (path / "verdict.json").write_text(judge(made, tables).model_dump_json())
    (path / "manifest.json").write_text(made.manifest.model_dump_json())
    if tables.aftermath is not None:
        tables.aftermath.table.to_csv(path / "aftermath.csv")
    return path


@pytest.fixture
def killed(tmp_path):
    return kept(tmp_path / "killed", broken_run())


@pytest.fixture
def failing(tmp_path):
    """One in which a backend answers 503 and keeps its share."""
    strikes = [strike(1, "fail", 6, 6, "failing"), strike(2, "resume", 16, 16, "returning")]
    return kept(tmp_path / "failing", struck(strikes, lost=(), back_s=0.0, probed_every_s=99.0))


def told(into, *directories):
    command = [sys.executable, "-m", "analysis.matrix", str(into), *map(str, directories)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def test_a_row_says_what_was_predicted_and_what_came_of_all_faults_of_a_run(killed):
    row = matrix([Broken.read(killed)]).loc["made"]
    assert row["lost (at most)"] == "1 (1)"
    assert row["turned away"] == "-"
    assert row["sent twice"] == "0"
    assert row["noticed s (at most)"].endswith(" (1)")
    assert row["back s (at most)"] == "1.010 (4)"
    assert row["exact split"] == "3 of 5 stages"


def test_what_was_turned_away_while_nobody_lived_is_not_among_what_was_lost_by_a_fault(tmp_path):
    row = matrix([Broken.read(kept(tmp_path / "dark", in_the_dark(until_s=17.5)))]).loc["made"]
    assert (row["lost (at most)"], row["turned away"]) == ("0 (3)", "1,149, the last 1.000 s late")


def test_a_dash_is_where_nothing_is_predicted_and_what_nobody_noticed_is_a_finding(failing):
    run = Broken.read(failing)
    row = matrix([run]).loc["made"]
    assert row["noticed s (at most)"] == row["back s (at most)"] == "-"
    (finding,) = findings([run])
    assert finding.startswith(
        "made: b answers each POST with 503, and keeps its share, for nobody looks at that. It took "
    )


def test_where_ledgers_are_lost_the_matrix_says_so_and_shows_the_others(killed, failing):
    (failing / "aftermath.csv").unlink()
    rows = matrix(map(Broken.read, (killed, failing)))
    assert list(rows["lost (at most)"]) == ["1 (1)", "not known"]
    assert list(rows["noticed s (at most)"])[1] == "not known"


def test_it_is_printed_and_kept_and_the_exit_code_is_that_of_the_worst(tmp_path, killed):
    wrong = kept(tmp_path / "wrong", broken_run(back_s=21.0))
    ended = told(tmp_path, killed, wrong)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "scenario" in ended.stdout
    table = pd.read_csv(tmp_path / "matrix.csv")
    assert ["returned kill b" in verdict for verdict in table["verdict"]] == [False, True]
    assert (tmp_path / "matrix.md").read_text().startswith("| scenario | lost (at most) |")


def test_what_is_damaged_or_was_never_judged_is_refused_in_a_sentence(tmp_path, killed):
    (killed / "verdict.json").write_text("{}")
    ended = told(tmp_path, killed)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"analysis: {killed / 'verdict.json'}: is damaged: ")
    (killed / "verdict.json").unlink()
    assert told(tmp_path, killed).stderr == f"analysis: {killed / 'verdict.json'}: No such file or directory\n"
