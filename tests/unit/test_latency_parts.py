import pytest

from analysis.evidence.balancer_log import upstream_s
from analysis.evidence.request_ids import RequestIds
from analysis.evidence.request_rows import of_rows
from analysis.measures.latency_parts import PARTS, TOTAL
from analysis.measures.latency_parts import parts as parts_of_matched
from analysis.measures.matching import Matching
from scenarios.formats.columns import Column
from scenarios.formats.rows import Balanced
from scenarios.spec.nginx.balancer import NGINX
from tests.builders.evidence import balanced, evidence, response


def parts(evidence):
    return parts_of_matched(evidence, Matching.of(evidence))


def test_a_requests_time_is_split_at_what_the_balancer_says_of_it():
    rows = [response(0, "a", latency_us=10_000, connect_us=1000)]
    log = [balanced("id-0", 0.006, "a", upstream_response_s="0.004")]
    row = parts(evidence(rows, {"a": 1}, balancer=log)).loc[("steady", "mean")]
    assert row.to_dict() == pytest.approx(
        {"count": 1, "connect_ms": 1, "generator_ms": 3, "balancer_ms": 2, "backend_ms": 4, "total_ms": 10}
    )


def test_what_rounding_makes_negative_is_not_hidden():
    rows = [response(0, "a", latency_us=900)]
    log = [balanced("id-0", 0.001, "a", upstream_response_s="0.002")]
    row = parts(evidence(rows, {"a": 1}, balancer=log)).loc[("steady", "mean")]
    assert (row[Column.GENERATOR_MS], row[Column.BALANCER_MS]) == pytest.approx((-0.1, -1.0))


def test_around_a_percentile_are_those_whose_rank_is_near_it():
    rows = [response(number, "a", latency_us=1000 * (1 + number * 7 % 100)) for number in range(100)]
    log = [balanced(row.request_id, 0.0, "a", upstream_response_s="0.000") for row in rows]
    table = parts(evidence(rows, {"a": 1}, balancer=log)).loc["steady"]
    assert table[Column.COUNT].to_dict() == {"mean": 100, "p50": 10, "p90": 4, "p99": 2}
    assert table[TOTAL].to_dict() == pytest.approx({"mean": 50.5, "p50": 50.5, "p90": 90.5, "p99": 99.5})


def test_parts_add_up_in_every_row():
    rows = [response(number, "a", latency_us=1000 + 37 * number, connect_us=number % 3) for number in range(50)]
    log = [balanced(row.request_id, number / 1e4, "a") for number, row in enumerate(rows)]
    table = parts(evidence(rows, {"a": 1}, balancer=log))
    assert table[PARTS].sum(axis=1).tolist() == pytest.approx(table[TOTAL].tolist())


def test_a_single_request_is_around_every_percentile():
    table = parts(evidence([response(0, "a")], {"a": 1}, balancer=[balanced("id-0", 0.001, "a")]))
    assert table[Column.COUNT].tolist() == [1, 1, 1, 1]


def test_only_answers_that_both_ledgers_know_are_looked_at():
    rows = [response(0, "a"), response(1, status=0, error="reset"), response(2, "a")]
    log = [balanced("id-0", 0.001, "a"), balanced("id-1", 0.001, "a"), balanced("somebody else's", 9.0, "a")]
    assert parts(evidence(rows, {"a": 1}, balancer=log))[Column.COUNT].max() == 1
    assert parts(evidence(rows, {"a": 1})).empty


def test_the_times_of_all_tries_are_added_and_a_dash_is_none():
    written = ["0.004", "-", "0.001, 0.002", "-, 0.003", "0.001, 0.002 : 0.004"]
    log = [balanced(str(number), upstream_response_s=text) for number, text in enumerate(written)]
    seconds = upstream_s(of_rows(log, Balanced, RequestIds()), NGINX.notation)
    assert seconds.tolist() == pytest.approx([0.004, 0.0, 0.003, 0.003, 0.007])
