"""The comparison with other load generators, small."""

import pandas as pd

from scenarios.formats.columns import Column
from tests.builders.commands import scenarios
from tests.builders.local_stacks import processes_of


def bench(offset, reports, *arguments):
    return scenarios("bench", "--reports", reports, *arguments, offset=offset, within_s=200)


def test_installed_clients_send_their_requests_and_are_compared(offset, reports):
    ended = bench(offset, reports, "--requests", "2000", "--connections", "20", "--rounds", "1")
    assert ended.returncode == 0, ended.stderr
    (directory,) = (reports / "bench").iterdir()
    bench_rows = pd.read_csv(directory / "bench.csv")
    assert {"this project", "FastHttpUser", "HttpUser"} <= set(bench_rows[Column.CLIENT])
    assert (bench_rows[bench_rows[Column.CLIENT] != "wrk"][Column.REQUESTS] == 2000).all()
    medians = pd.read_csv(directory / "medians.csv", index_col="client")
    assert medians[Column.RATIO]["FastHttpUser"] == 1
    assert medians[Column.CPU_US].is_monotonic_increasing
    assert medians.notna().all(axis=None)
    assert (directory / "bench.png").exists()
    assert "this project" in ended.stdout
    assert processes_of(offset) == []


def test_numbers_that_make_no_sense_are_refused(offset, reports):
    ended = bench(offset, reports, "--requests", "none")
    assert ended.returncode == 2
    assert ended.stderr == "scenarios: REQUESTS is 'none', and should be a whole number from 1,000 to 1,000,000\n"
    assert not reports.exists()
