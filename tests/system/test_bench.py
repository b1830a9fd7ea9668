"""The comparison with other load generators, small."""

import subprocess
import sys

import pandas as pd

from tests.conftest import PROJECT, processes_of


def bench(offset, reports, *arguments):
    command = [sys.executable, "-m", "scenarios.bench", "--port-offset", str(offset), "--reports", str(reports)]
    return subprocess.run([*command, *arguments], cwd=PROJECT, capture_output=True, text=True, timeout=200, check=False)


def test_every_client_that_is_here_sends_its_requests_and_is_compared(offset, reports):
    ended = bench(offset, reports, "--requests", "2000", "--connections", "20", "--rounds", "1")
    assert ended.returncode == 0, ended.stderr
    (directory,) = (reports / "bench").iterdir()
    efforts = pd.read_csv(directory / "bench.csv")
    assert {"this project", "FastHttpUser", "HttpUser"} <= set(efforts["client"])
    assert (efforts[efforts["client"] != "wrk"]["requests"] == 2000).all()
    medians = pd.read_csv(directory / "medians.csv", index_col="client")
    assert medians["ratio"]["FastHttpUser"] == 1
    assert medians["cpu_us"].is_monotonic_increasing
    assert medians.notna().all(axis=None)
    assert (directory / "bench.png").exists()
    assert "this project" in ended.stdout
    assert processes_of(offset) == []


def test_numbers_that_make_no_sense_are_refused(offset, reports):
    ended = bench(offset, reports, "--requests", "none")
    assert ended.returncode == 2
    assert ended.stderr == "bench: REQUESTS is 'none', and should be a whole number from 1,000 to 1,000,000\n"
    assert not reports.exists()
