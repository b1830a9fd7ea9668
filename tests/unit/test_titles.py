"""The title of a picture is its answer, whatever came out."""

import pandas as pd
import pytest

from analysis.charts import distribution as split
from analysis.charts import generator, ledgers, resources
from analysis.charts import latency_parts as parts
from analysis.charts import over_time as time
from analysis.charts import running_split as running
from analysis.charts.drawing.style import styled
from analysis.charts.gallery import figures
from analysis.charts.latency import answer as latency_answer
from analysis.checks.check import Check, Outcome
from analysis.checks.stage_split import SPLIT_IN
from analysis.measures.latency import latency, ordered
from analysis.measures.latency_parts import COLUMNS, PARTS, TOTAL
from analysis.measures.statistics import distribution
from analysis.tables import Tables
from analysis.verdict import judge
from tests.builders.broken_run import broken_run
from tests.builders.evidence import evidence, response, responses
from tests.builders.odd_runs import RUNS, THREE, run

WEIGHTS = {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize(
    ("counts", "doubt", "title"),
    [
        (
            {"a": 166, "b": 334, "c": 500},
            "",
            "c took 500 of 1,000: exactly its half; no backend is off by more than 0.67",
        ),
        ({"a": 1, "b": 2, "c": 3}, "", "c took 3 of 6: exactly its half"),
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


def test_latency():
    rows = [response(number, "a", latency_us=1000 * number) for number in range(1, 201)]
    table = latency(ordered(evidence(rows, WEIGHTS)))
    assert latency_answer(table, ["steady"]) == "99 % of the answers came within 198 ms"
    assert latency_answer(table, ["steady", "never"]) == "99 % of the answers came within 198 ms in steady"
    assert latency_answer(table.iloc[:0], ["steady"]) == "No request was answered, so there is no latency"


def timeline(**columns):
    usual = {"seconds": 0.5, "stage": "steady", "sent": 10, "answered": 10, "failed": 0, "p99_ms": [1.5, 2.5]}
    return pd.DataFrame(usual | columns, index=[0.0, 0.5])


@pytest.mark.parametrize(
    ("columns", "title"),
    [
        ({}, "25 answers per second on average; no request failed"),
        ({"failed": [1, 0], "answered": [9, 10]}, "24 answers per second on average; 1 of 20 requests failed"),
        ({"answered": 0, "failed": 10}, "All 20 requests failed"),
        ({"sent": [1, 0], "answered": 0, "failed": [1, 0]}, "The only request failed"),
        ({"sent": [1, 0], "answered": [1, 0]}, "1 answered; no request failed"),
        ({"sent": 0, "answered": 0}, "No request was sent"),
    ],
)
def test_throughput(columns, title):
    assert time.throughput_answer(timeline(**columns), lasted_s=0.8) == title


@pytest.mark.parametrize(
    ("columns", "title"),
    [
        ({}, "Latency was highest 0.5 s after the start, with a p99 of 2.5 ms"),
        (
            {"stage": ["calm", "surge"]},
            "Latency was highest 0.5 s after the start in stage surge, with a p99 of 2.5 ms",
        ),
        ({"p99_ms": [20_500.0, None]}, "Latency was highest right at the start, with a p99 of 20.5 s"),
        ({"p99_ms": float("nan")}, "No request was answered, so there is no latency"),
    ],
)
def test_latency_over_time(columns, title):
    assert time.latency_answer(timeline(**columns)) == title


@pytest.mark.parametrize(
    ("most", "title"),
    [
        ("backend_ms", "70 % of the mean latency was spent in the backends"),
        ("balancer_ms", "70 % of the mean latency was spent in the balancer"),
        ("connect_ms", "70 % of the mean latency was spent on connecting"),
        ("generator_ms", "70 % of the mean latency was spent in the network and the generator"),
    ],
)
def test_parts(most, title):
    row = {"stage": "steady", "around": "mean", "count": 9, TOTAL: 10.0} | dict.fromkeys(PARTS, 1.0) | {most: 7.0}
    table = pd.DataFrame([row], columns=COLUMNS).set_index(["stage", "around"])
    assert parts.answer(table) == title
    assert parts.answer(table.iloc[:0]) == "Cannot tell: no answer is in both ledgers"


@pytest.mark.parametrize(("rest", "said"), [(0.0, "100 %"), (0.01, "Over 99 %"), (0.024, "99 %")])
def test_nearly_all_of_latency_is_not_all(rest, said):
    row = {"stage": "steady", "around": "mean", "count": 9, TOTAL: 10.0} | dict.fromkeys(PARTS, 0.0)
    row |= {"backend_ms": 10.0 * (1 - rest / 3), "balancer_ms": 10.0 * rest / 3}
    table = pd.DataFrame([row], columns=COLUMNS).set_index(["stage", "around"])
    assert parts.answer(table).startswith(f"{said} of the mean")


def test_parts_are_told_of_the_stage_with_most_requests():
    rows = [
        {"stage": stage, "around": "mean", "count": count, TOTAL: 4.0} | dict.fromkeys(PARTS, 1.0)
        for stage, count in (("calm", 9), ("surge", 99))
    ]
    assert "in stage surge" in parts.answer(pd.DataFrame(rows, columns=COLUMNS).set_index(["stage", "around"]))


def test_ledgers():
    tables = Tables.of(RUNS["usual"]())
    none = tables.differences
    assert ledgers.answer(tables.reconciliation, none, none) == "All three ledgers count the same 600 right answers"
    differing = pd.DataFrame({"difference": ["refused", "retried", "refused"], "count": [3, 1, 1000]})
    title = "The ledgers differ: 1,003 refused, 1 retried"
    assert ledgers.answer(tables.reconciliation, differing, differing) == title
    title = "The ledgers differ: 3 refused, 1 retried; faults caused 1,000 more"
    assert ledgers.answer(tables.reconciliation, differing, differing[:2]) == title
    title = "The ledgers differ only as the faults account for: 1,003 refused, 1 retried"
    assert ledgers.answer(tables.reconciliation, differing, differing[:0]) == title
    unknown = tables.reconciliation.assign(processed=float("nan"))
    assert ledgers.answer(unknown, none, none) == "The ledgers are too incomplete to compare"
    nothing = tables.reconciliation.assign(client=0)
    assert ledgers.answer(nothing, none, none) == "No ledger counts a right answer"


def test_running():
    allowed = pd.Series({"a": 0.5})
    table = pd.DataFrame({"host_tag": ["a", "a"], "surely_above": [0.0, 3.0], "surely_below": [0.0, 4.0]})
    assert running.answer(table, allowed, "") == "a deviated at least 2.5 requests more than round-robin allows"
    assert running.answer(table, allowed + 9, "").startswith("No backend is known to have deviated")
    assert running.answer(table, allowed, "why; and more") == "Cannot tell: why"
    assert running.answer(table.iloc[:0], allowed, "") == "The balancer's log shows no pick"


def used(**columns):
    usual = {
        "cpu_s": [1.0, 2.0], "cpu_limit": 0.0, "throttled": [0.0, 0.5], "memory_peak_mib": [95.0, 64.0],
        "memory_limit_mib": 0.0, "received_mib": [1.0, 2.0], "sent_mib": 1.0, "read_mib": 0.0,
        "written_mib": [0.0, 3.0],
    }  # fmt: skip
    return pd.DataFrame(usual | columns, index=["a", "b"])


@pytest.mark.parametrize(
    ("answer", "columns", "title"),
    [
        (resources.cpu_answer, {}, "b used the most CPU, 2.0 s; this stack sets no limit"),
        (
            resources.cpu_answer,
            {"cpu_limit": 0.5},
            "b was throttled at its CPU limit most often, in 50 % of the periods",
        ),
        (resources.cpu_answer, {"cpu_limit": 0.5, "throttled": 0.0}, "No service was throttled at its CPU limit"),
        (resources.memory_answer, {}, "a used the most memory, 95 MiB; this stack sets no limit"),
        (resources.memory_answer, {"memory_limit_mib": 100.0}, "a came close to its memory limit, with 95 % of it"),
        (
            resources.memory_answer,
            {"memory_limit_mib": 128.0},
            "a came closest to its memory limit, with 74 % of it",
        ),
        (resources.network_answer, {}, "b had the most traffic: 2.0 MiB received, 1.0 MiB sent"),
        (resources.disk_answer, {}, "b used the disk most: 0.0 MiB read, 3.0 MiB written"),
        (resources.disk_answer, {"written_mib": 0.0}, "No service used the disk"),
    ],
)
def test_resources(answer, columns, title):
    assert answer(used(**columns)) == title


def test_the_generator():
    totals = pd.DataFrame({"users": [5, 9], "in_flight": [0, 3]})
    overhead = pd.DataFrame({"p50_ms": [1.0, 2.0], "p99_ms": [3.0, 400.0]}, index=["loop lag", "own share of latency"])
    had = "The generator had 9 of 10 users and up to 3 requests in flight"
    assert generator.answer(totals, overhead, 10) == f"{had}; its own share of latency: p50 2.0 ms, p99 400 ms"
    assert generator.answer(totals, overhead[:1], 10) == f"{had}; its event loop lag: p50 1.0 ms, p99 3.0 ms"
    assert generator.answer(totals, overhead[:0], 10) == had
