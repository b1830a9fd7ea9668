"""The matrix of what came of runs with faults: a row each, kept, printed, and its exit code."""

import sys

import pandas as pd
import pytest

from analysis.tables import Tables
from analysis.tools.fault_matrix import Broken, findings, matrix
from analysis.verdict import judge
from tests.builders.broken_run import broken_run, strike
from tests.builders.odd_runs import faults_injected, in_blackout
from tests.builders.processes import completed


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
    applied_faults = [strike(1, "fail", 6, 6, "failing"), strike(2, "resume", 16, 16, "returning")]
    return kept(tmp_path / "failing", faults_injected(applied_faults, lost=(), back_s=0.0, probed_every_s=99.0))


def told(into, *directories):
    return completed([sys.executable, "-m", "analysis.tools.fault_matrix", into, *directories])


def test_matrix_row_says_prediction_and_outcome_of_all_faults_of_a_run(killed):
    row = matrix([Broken.read(killed)]).loc["made"]
    assert row["lost (at most)"] == "1 (1)"
    assert row["turned away"] == "-"
    assert row["sent twice"] == "0"
    assert row["noticed s (at most)"].endswith(" (1)")
    assert row["back s (at most)"] == "1.010 (4)"
    assert row["exact split"] == "3 of 5 stages"


def test_requests_turned_away_in_a_blackout_are_not_lost_by_a_fault(tmp_path):
    row = matrix([Broken.read(kept(tmp_path / "blackout", in_blackout(until_s=17.5)))]).loc["made"]
    assert (row["lost (at most)"], row["turned away"]) == ("0 (3)", "1,149, the last 1.000 s late")


def test_matrix_of_an_undetected_fault_has_dashes_and_a_finding(failing):
    run = Broken.read(failing)
    row = matrix([run]).loc["made"]
    assert row["noticed s (at most)"] == row["back s (at most)"] == "-"
    (finding,) = findings([run])
    assert finding.startswith(
        "made: b answers each request with 503 and keeps its share, because passive checks do not look at that."
        " It took "
    )


def test_matrix_with_lost_ledgers_says_so_and_shows_the_others(killed, failing):
    (failing / "aftermath.csv").unlink()
    rows = matrix(map(Broken.read, (killed, failing)))
    assert list(rows["lost (at most)"]) == ["1 (1)", "not known"]
    assert list(rows["noticed s (at most)"])[1] == "not known"


def test_matrix_is_printed_and_kept_and_exits_with_the_worst_code(tmp_path, killed):
    wrong = kept(tmp_path / "wrong", broken_run(back_s=21.0))
    ended = told(tmp_path, killed, wrong)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "scenario" in ended.stdout
    table = pd.read_csv(tmp_path / "matrix.csv")
    assert ["returned kill b" in verdict for verdict in table["verdict"]] == [False, True]
    assert (tmp_path / "matrix.md").read_text().startswith("| scenario | lost (at most) |")


def test_run_damaged_or_never_judged_is_refused_in_a_sentence(tmp_path, killed):
    (killed / "verdict.json").write_text("{}")
    ended = told(tmp_path, killed)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"analysis: {killed / 'verdict.json'}: is damaged: ")
    (killed / "verdict.json").unlink()
    assert told(tmp_path, killed).stderr == f"analysis: {killed / 'verdict.json'}: No such file or directory\n"
