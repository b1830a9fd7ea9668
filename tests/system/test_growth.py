"""The benchmark of the analysis, small: its runs pass, and their time and memory are written down."""

import subprocess
import sys

import pandas as pd

from analysis.evidence import Evidence
from analysis.made_run import make_run
from analysis.tables import Tables
from analysis.verdict import Outcome, judge
from tests.conftest import PROJECT


def test_a_made_run_is_evidence_that_passes_whatever_its_size(tmp_path):
    for requests in (1, 7, 5000):
        make_run(tmp_path / str(requests), requests)
        evidence = Evidence.read(tmp_path / str(requests))
        verdict = judge(evidence, Tables.of(evidence))
        turned = [check.name for check in verdict.checks if check.outcome in (Outcome.FAIL, Outcome.INVALID)]
        assert (len(evidence.responses), turned) == (requests, [])


def test_growth_is_measured_run_by_run(tmp_path):
    command = [sys.executable, "-m", "analysis.growth", "--reports", str(tmp_path), "100", "1000"]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    (directory,) = (tmp_path / "growth").iterdir()
    growth = pd.read_csv(directory / "growth.csv")
    assert list(growth["requests"]) == [100, 1000]
    assert (growth[["ledgers_mib", "seconds", "memory_peak_mib"]] > 0).all(axis=None)
    assert (directory / "growth.png").stat().st_size > 0
