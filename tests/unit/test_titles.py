"""The title of a picture is its answer, whatever came out."""

import pandas as pd
import pytest

from analysis.charts import distribution as split
from analysis.charts import generator, ledgers, resources
from analysis.charts import running_split as running
from analysis.charts.drawing.style import styled
from analysis.charts.gallery import figures
from analysis.checks.check import Check, Outcome
from analysis.checks.stage_split import SPLIT_IN
from analysis.measures.statistics import distribution
from analysis.tables import Tables
from analysis.verdict import judge
from scenarios.formats.columns import Column
from tests.builders.broken_run import broken_run
from tests.builders.evidence import evidence, responses
from tests.builders.odd_runs import RUNS, THREE, run

WEIGHTS = {"a": 1, "b": 2, "c": 3}
EXACT = "exactly its half"


@pytest.mark.parametrize(
    ("counts", "doubt", "title"),
    [
        ({"a": 166, "b": 334, "c": 500}, "", f"c took 500 of 1,000: {EXACT}; no backend is off by more than 0.67"),
        ({"a": 1, "b": 2, "c": 3}, "", f"c took 3 of 6: {EXACT}"),
        ({"a": 1, "b": 1, "c": 2}, "", "c took 2 of 4: exactly its half; no backend is off by more than 0.33"),
        ({"c": 1}, "", "c took 1 of 1, 0.50 of a request off its half; 1.00 is allowed"),
        ({"a": 500, "b": 333, "c": 167}, "", "a took 500 of 1,000, 333.3 more than its sixth; 0.83 is allowed"),
        ({"a": 100, "b": 200}, "", "c took 0 of 300, 150.0 fewer than its half; 1.00 is allowed"),
        ({"z": 30}, "", "z took 30 of 30 and is not in the claim"),
        ({"a": 1}, "retried: 3; refused: 4", "Cannot tell: retried: 3"),
        ({}, "no request was sent", "Cannot tell: no request was answered (no request was sent)"),
        ({}, "", "Cannot tell: no request was answered"),
    ],
)
def test_the_split(counts, doubt, title):
    assert split.answer(distribution(evidence(responses(counts), WEIGHTS, requests=1)), doubt) == title


def of_stage(stage, outcome, observed="seen"):
    return Check(kind=SPLIT_IN, subject=str(stage), detail="c", expected="e", observed=observed, outcome=outcome)


@pytest.mark.parametrize(
    ("outcomes", "title"),
    [
        (
            [Outcome.PASS] * 3,
            "The split was as predicted in each of 3 stages that can be judged; the whole run is not judged",
        ),
        ([Outcome.PASS], "The split was as predicted in the one stage that can be judged; the whole run is not judged"),
        ([Outcome.PASS, Outcome.FAIL], "Not as predicted: split in 1: seen"),
        ([Outcome.INVALID, Outcome.INVALID], "Cannot tell: why"),
        ([], "Cannot tell: why"),
    ],
)
def test_the_split_of_a_run_with_faults_is_told_stage_by_stage(outcomes, title):
    table = distribution(evidence(responses({"a": 1}), WEIGHTS, requests=1))
    checks = [of_stage(number, outcome) for number, outcome in enumerate(outcomes)]
    assert split.answer(table, "why; and more", checks) == title


def test_split_of_a_run_with_several_stages_and_no_fault_is_told_of_the_whole_run():
    tables = Tables.of(made := run(THREE))
    verdict = judge(made, tables)
    assert "split in surge" in [check.name for check in verdict.checks]
    title = split.answer(tables.distribution, verdict.doubt, verdict.of_stages)
    assert title == "back-03 took 300 of 600: exactly its half"


def test_no_title_of_a_run_with_faults_says_that_nobody_can_tell():
    made = broken_run()
    tables = Tables.of(made)
    with styled():
        titles = {name: figure.get_suptitle() for name, figure in figures(made, tables, judge(made, tables))}
    assert titles["ledgers"].startswith("The ledgers differ only as the faults account for")
    assert not [title for title in titles.values() if "annot tell" in title]


@pytest.mark.parametrize(
    ("weights", "part"),
    [
        ({"a": 1}, "whole"),
        ({"a": 2, "b": 1}, "two thirds"),
        ({"a": 3, "b": 4}, "4/7"),
        ({"a": 1, "b": 3}, "three quarters"),
    ],
)
def test_a_share_is_said_in_a_word_where_there_is_one(weights, part):
    table = distribution(evidence(responses(weights), weights))
    assert split.answer(table, "").endswith(f"exactly its {part}")


def test_ledgers():
    tables = Tables.of(RUNS["usual"]())
    none = tables.differences
    assert ledgers.answer(tables.reconciliation, none, none) == "All three ledgers count the same 600 right answers"
    differing = pd.DataFrame({Column.DIFFERENCE: ["refused", "retried", "refused"], Column.COUNT: [3, 1, 1000]})
    title = "The ledgers differ: 1,003 refused, 1 retried"
    assert ledgers.answer(tables.reconciliation, differing, differing) == title
    title = "The ledgers differ: 3 refused, 1 retried; faults caused 1,000 more"
    assert ledgers.answer(tables.reconciliation, differing, differing[:2]) == title
    title = "The ledgers differ only as the faults account for: 1,003 refused, 1 retried"
    assert ledgers.answer(tables.reconciliation, differing, differing[:0]) == title
    unknown = tables.reconciliation.assign(**{Column.PROCESSED: float("nan")})
    assert ledgers.answer(unknown, none, none) == "The ledgers are too incomplete to compare"
    nothing = tables.reconciliation.assign(**{Column.CLIENT: 0})
    assert ledgers.answer(nothing, none, none) == "No ledger counts a right answer"


def test_running():
    allowed = pd.Series({"a": 0.5})
    table = pd.DataFrame(
        {Column.HOST_TAG: ["a", "a"], Column.REACHED_AT_LEAST: [0.0, 3.0], Column.REACHED_AT_MOST: [0.0, 4.0]}
    )
    assert running.answer(table, allowed, "") == "a deviated at least 2.5 requests more than round-robin allows"
    assert running.answer(table, allowed + 9, "").startswith("No backend is known to have deviated")
    assert running.answer(table, allowed, "why; and more") == "Cannot tell: why"
    assert running.answer(table.iloc[:0], allowed, "") == "The balancer's log shows no pick"


def used(**columns):
    usual = {
        Column.CPU_S: [1.0, 2.0],
        Column.CPU_LIMIT: 0.0,
        Column.THROTTLED: [0.0, 0.5],
        Column.MEMORY_PEAK_MIB: [95.0, 64.0],
        Column.MEMORY_LIMIT_MIB: 0.0,
        Column.RECEIVED_MIB: [1.0, 2.0],
        Column.SENT_MIB: 1.0,
        Column.READ_MIB: 0.0,
        Column.WRITTEN_MIB: [0.0, 3.0],
    }
    return pd.DataFrame(usual | columns, index=["a", "b"])


@pytest.mark.parametrize(
    ("answer", "columns", "title"),
    [
        (resources.cpu_answer, {}, "b used the most CPU, 2.0 s; this stack sets no limit"),
        (
            resources.cpu_answer,
            {Column.CPU_LIMIT: 0.5},
            "b was throttled at its CPU limit most often, in 50 % of the periods",
        ),
        (
            resources.cpu_answer,
            {Column.CPU_LIMIT: 0.5, Column.THROTTLED: 0.0},
            "No service was throttled at its CPU limit",
        ),
        (resources.memory_answer, {}, "a used the most memory, 95 MiB; this stack sets no limit"),
        (
            resources.memory_answer,
            {Column.MEMORY_LIMIT_MIB: 100.0},
            "a came close to its memory limit, with 95 % of it",
        ),
        (
            resources.memory_answer,
            {Column.MEMORY_LIMIT_MIB: 128.0},
            "a came closest to its memory limit, with 74 % of it",
        ),
        (resources.network_answer, {}, "b had the most traffic: 2.0 MiB received, 1.0 MiB sent"),
        (resources.disk_answer, {}, "b used the disk most: 0.0 MiB read, 3.0 MiB written"),
        (resources.disk_answer, {Column.WRITTEN_MIB: 0.0}, "No service used the disk"),
    ],
)
def test_resources(answer, columns, title):
    assert answer(used(**columns)) == title


def test_the_generator():
    totals = pd.DataFrame({Column.USERS: [5, 9], Column.IN_FLIGHT: [0, 3]})
    overhead = pd.DataFrame(
        {Column.P50_MS: [1.0, 2.0], Column.P99_MS: [3.0, 400.0]}, index=["loop lag", "own share of latency"]
    )
    had = "The generator had 9 of 10 users and up to 3 requests in flight"
    assert generator.answer(totals, overhead, 10) == f"{had}; its own share of latency: p50 2.0 ms, p99 400 ms"
    assert generator.answer(totals, overhead[:1], 10) == f"{had}; its event loop lag: p50 1.0 ms, p99 3.0 ms"
    assert generator.answer(totals, overhead[:0], 10) == had
