"""The split of a run while it goes on: the same counts as the report's, a band that health never leaves."""

import random
from itertools import cycle as again
from itertools import islice

import numpy as np
import pytest

from analysis.measures.statistics import at_rank, distribution
from locustfiles.generator.records.live_split import MOMENTS, LiveSplit, SplitRow
from scenarios.formats.columns import header
from scenarios.formats.rows import Response
from scenarios.spec.claim import Claim
from scenarios.spec.round_robin.cycle import cycle
from tests.builders.evidence import evidence, responses

WEIGHTS = {"a": 1, "b": 2, "c": 3}
CLAIM = Claim(weights=WEIGHTS, source="a test")


def answers(count, tag="a", error="", latency_us=1000):
    return [Response(0, latency_us, 0, 0, tag, 201, "s", f"{tag}-{number}", error) for number in range(count)]


def test_table_of_a_split_is_the_one_of_the_report():
    counts = {"a": 17, "b": 33, "c": 49, "stranger": 1}
    split = LiveSplit(CLAIM)
    for tag, count in counts.items():
        split.count(answers(count, tag))
    report = distribution(evidence(responses(counts), WEIGHTS))
    shown = {row.host_tag: row for row in split.table()}
    assert list(shown) == list(report.index)
    fields = dict(zip(header(SplitRow), SplitRow._fields, strict=True))
    for column in report:
        assert [getattr(shown[tag], fields[column]) for tag in report.index] == pytest.approx(list(report[column]))


def test_request_without_an_answer_counts_for_no_backend_and_its_error_is_kept():
    split = LiveSplit(CLAIM)
    split.count(answers(2) + answers(5, "", "refused") + answers(3, "b", "status 503"))
    assert (split.requests, split.total, split.answered[""]) == (10, 5, 5)
    assert {row.host_tag: (row.answered, row.failed) for row in split.table()} == {
        "a": (2, 0),
        "b": (3, 3),
        "c": (0, 0),
    }
    assert split.commonest_error == "refused"
    assert [row.p50_ms for row in split.table()] == [1.0, 1.0, None]


@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 5000])
def test_percentiles_are_those_at_the_rank_within_a_two_thousandth(count):
    latencies_us = [int(random.Random(7 + number).lognormvariate(10, 2)) for number in range(count)]
    split = LiveSplit(CLAIM)
    for latency_us in latencies_us:
        split.count(answers(1, latency_us=latency_us))
    exact = at_rank(np.sort(latencies_us), np.array([0.5, 0.99])) / 1e3
    row = split.table()[0]
    for shown, true in zip((row.p50_ms, row.p99_ms), exact, strict=True):
        assert true * (1 - 1 / 1024) <= shown <= true


def test_moments_of_a_long_run_are_few_and_even_and_hold_its_end():
    split = LiveSplit(CLAIM)
    for second in range(20_000):
        split.count(answers(1))
        split.keep_moment(second / 10, 0)
    split.keep_last_moment(2000.0, 0)
    assert MOMENTS / 2 <= len(split.moments) <= MOMENTS + 1
    assert (split.moments[0].at_s, split.moments[-1].at_s) == (0.0, 2000.0)
    apart = np.diff([moment.at_s for moment in split.moments[:-1]])
    assert apart.max() <= 2 * apart.min() + 0.1


def test_band_holds_a_healthy_balancer_with_any_number_in_flight():
    chance = random.Random(3)
    split, in_flight = LiveSplit(CLAIM), []
    tags = list(WEIGHTS)
    for number, pick in enumerate(islice(again(cycle(list(WEIGHTS.values()))), 3000)):
        in_flight.append(tags[pick])
        while in_flight and chance.random() < (0.6 if number % 600 < 300 else 0.4):
            split.count(answers(1, in_flight.pop(chance.randrange(len(in_flight)))))
        split.keep_moment(number, len(in_flight))
    split.count([answer for tag in in_flight for answer in answers(1, tag)])
    split.keep_last_moment(3001, 0)
    for moment in split.moments:
        for tag in WEIGHTS:
            point = split.backend_at(tag, moment)
            assert point.lowest - 1e-9 <= point.deviation <= point.highest + 1e-9
    ends = [split.backend_at(tag, split.moments[-1]) for tag in WEIGHTS]
    assert [point.highest for point in ends] == [-point.lowest for point in ends] == list(split.allowed.values())
