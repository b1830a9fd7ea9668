"""The benchmark of the analysis, small: its runs pass, and their time and memory are written down."""

import sys

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.tables import Tables
from analysis.tools.synthetic_run import make_synthetic_run
from analysis.verdict import Outcome, judge
from scenarios.formats.columns import Column
from tests.builders.processes import completed


def test_made_run_is_evidence_that_passes_whatever_its_size(tmp_path):
    for requests in (1, 7, 5000):
        make_synthetic_run(tmp_path / str(requests), requests)
        evidence = Evidence.read(tmp_path / str(requests))
        verdict = judge(evidence, Tables.of(evidence))
        turned = [check.name for check in verdict.checks if check.outcome in (Outcome.FAIL, Outcome.INVALID)]
        assert (len(evidence.responses), turned) == (requests, [])


def test_growth_is_measured_run_by_run(tmp_path):
    ended = completed([sys.executable, "-m", "analysis.tools.growth", "--reports", tmp_path, "100", "1000"], 120)
    assert ended.returncode == 0, ended.stderr
    (directory,) = (tmp_path / "growth").iterdir()
    growth = pd.read_csv(directory / "growth.csv")
    assert list(growth[Column.REQUESTS]) == [100, 1000]
    assert (growth[["ledgers_mib", Column.SECONDS, Column.MEMORY_PEAK_MIB]] > 0).all(axis=None)
    assert (directory / "growth.png").stat().st_size > 0
