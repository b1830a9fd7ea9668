"""The title of a picture of latency or throughput is its answer, whatever came out."""

import pandas as pd
import pytest

from analysis.charts import latency_parts as parts
from analysis.charts import over_time as time
from analysis.charts.latency import answer as latency_answer
from analysis.measures.latency import latency, ordered
from analysis.measures.latency_parts import COLUMNS, PARTS, TOTAL
from scenarios.formats.columns import Column
from tests.builders.evidence import evidence, response

WEIGHTS = {"a": 1, "b": 2, "c": 3}


def test_latency():
    rows = [response(number, "a", latency_us=1000 * number) for number in range(1, 201)]
    table = latency(ordered(evidence(rows, WEIGHTS)))
    assert latency_answer(table, ["steady"]) == "99 % of the answers came within 198 ms"
    assert latency_answer(table, ["steady", "never"]) == "99 % of the answers came within 198 ms in steady"
    assert latency_answer(table.iloc[:0], ["steady"]) == "No request was answered, so there is no latency"


def timeline(**columns):
    usual = {
        Column.SECONDS: 0.5,
        Column.STAGE: "steady",
        Column.SENT: 10,
        Column.ANSWERED: 10,
        Column.FAILED: 0,
        Column.P99_MS: [1.5, 2.5],
    }
    return pd.DataFrame(usual | columns, index=[0.0, 0.5])


@pytest.mark.parametrize(
    ("columns", "title"),
    [
        ({}, "25 answers per second on average; no request failed"),
        (
            {Column.FAILED: [1, 0], Column.ANSWERED: [9, 10]},
            "24 answers per second on average; 1 of 20 requests failed",
        ),
        ({Column.ANSWERED: 0, Column.FAILED: 10}, "All 20 requests failed"),
        ({Column.SENT: [1, 0], Column.ANSWERED: 0, Column.FAILED: [1, 0]}, "The only request failed"),
        ({Column.SENT: [1, 0], Column.ANSWERED: [1, 0]}, "1 answered; no request failed"),
        ({Column.SENT: 0, Column.ANSWERED: 0}, "No request was sent"),
    ],
)
def test_throughput(columns, title):
    assert time.throughput_answer(timeline(**columns), lasted_s=0.8) == title


@pytest.mark.parametrize(
    ("columns", "title"),
    [
        ({}, "Latency was highest 0.5 s after the start, with a p99 of 2.5 ms"),
        (
            {Column.STAGE: ["calm", "surge"]},
            "Latency was highest 0.5 s after the start in stage surge, with a p99 of 2.5 ms",
        ),
        ({Column.P99_MS: [20_500.0, None]}, "Latency was highest right at the start, with a p99 of 20.5 s"),
        ({Column.P99_MS: float("nan")}, "No request was answered, so there is no latency"),
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
    row = (
        {Column.STAGE: "steady", Column.AROUND: "mean", Column.COUNT: 9, TOTAL: 10.0}
        | dict.fromkeys(PARTS, 1.0)
        | {most: 7.0}
    )
    table = pd.DataFrame([row], columns=COLUMNS).set_index([Column.STAGE, Column.AROUND])
    assert parts.answer(table) == title
    assert parts.answer(table.iloc[:0]) == "Cannot tell: no answer is in both ledgers"


@pytest.mark.parametrize(("rest", "said"), [(0.0, "100 %"), (0.01, "Over 99 %"), (0.024, "99 %")])
def test_nearly_all_of_latency_is_not_all(rest, said):
    row = {Column.STAGE: "steady", Column.AROUND: "mean", Column.COUNT: 9, TOTAL: 10.0} | dict.fromkeys(PARTS, 0.0)
    row |= {Column.BACKEND_MS: 10.0 * (1 - rest / 3), Column.BALANCER_MS: 10.0 * rest / 3}
    table = pd.DataFrame([row], columns=COLUMNS).set_index([Column.STAGE, Column.AROUND])
    assert parts.answer(table).startswith(f"{said} of the mean")


def test_parts_are_told_of_the_stage_with_most_requests():
    rows = [
        {Column.STAGE: stage, Column.AROUND: "mean", Column.COUNT: count, TOTAL: 4.0} | dict.fromkeys(PARTS, 1.0)
        for stage, count in (("calm", 9), ("surge", 99))
    ]
    assert "in stage surge" in parts.answer(
        pd.DataFrame(rows, columns=COLUMNS).set_index([Column.STAGE, Column.AROUND])
    )
