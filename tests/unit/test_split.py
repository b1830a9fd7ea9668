"""The split of a run while it goes on: the same counts as the report's, a band that health never leaves."""

import random
from itertools import cycle as again
from itertools import islice

import numpy as np
import pytest

from analysis.statistics import at_rank, distribution
from locustfiles.split import MOMENTS, Split
from scenarios.claim import Claim
from scenarios.ledgers import Response
from scenarios.round_robin import cycle
from tests.unit.evidence import evidence, responses

WEIGHTS = {"a": 1, "b": 2, "c": 3}
CLAIM = Claim(weights=WEIGHTS, source="a test")


def answers(count, tag="a", error="", latency_us=1000):
    return [Response(0, latency_us, 0, 0, tag, 201, "s", f"{tag}-{number}", error) for number in range(count)]


def test_its_table_is_the_reports():
    counts = {"a": 17, "b": 33, "c": 49, "stranger": 1}
    split = Split(CLAIM)
    for tag, count in counts.items():
        split.take(answers(count, tag))
    report = distribution(evidence(responses(counts), WEIGHTS))
    shown = {part.host_tag: part for part in split.parts()}
    assert list(shown) == list(report.index)
    for column in report:
        assert [getattr(shown[tag], column) for tag in report.index] == pytest.approx(list(report[column]))


def test_what_nobody_answered_counts_for_nobody_and_why_is_known():
    split = Split(CLAIM)
    split.take(answers(2) + answers(5, "", "refused") + answers(3, "b", "status 503"))
    assert (split.rows, split.total, split.answered[""]) == (10, 5, 5)
    assert {part.host_tag: (part.answered, part.failed) for part in split.parts()} == {
        "a": (2, 0),
        "b": (3, 3),
        "c": (0, 0),
    }
    assert split.commonest_error == "refused"
    assert [part.p50_ms for part in split.parts()] == [1.0, 1.0, None]


@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 5000])
def test_percentiles_are_those_at_the_rank_but_for_a_two_thousandth(count):
    latencies_us = [int(random.Random(7 + number).lognormvariate(10, 2)) for number in range(count)]
    split = Split(CLAIM)
    for latency_us in latencies_us:
        split.take(answers(1, latency_us=latency_us))
    exact = at_rank(np.sort(latencies_us), np.array([0.5, 0.99])) / 1e3
    part = split.parts()[0]
    for shown, true in zip((part.p50_ms, part.p99_ms), exact, strict=True):
        assert true * (1 - 1 / 1024) <= shown <= true


def test_a_long_run_keeps_a_bounded_number_of_moments_evenly_and_its_end():
    split = Split(CLAIM)
    for second in range(20_000):
        split.take(answers(1))
        split.look(second / 10, 0)
    split.finish(2000.0, 0)
    assert MOMENTS / 2 <= len(split.moments) <= MOMENTS + 1
    assert (split.moments[0].at_s, split.moments[-1].at_s) == (0.0, 2000.0)
    apart = np.diff([moment.at_s for moment in split.moments[:-1]])
    assert apart.max() <= 2 * apart.min() + 0.1


def test_a_healthy_balancer_never_leaves_the_band_whatever_is_in_flight():
    chance = random.Random(3)
    split, in_flight = Split(CLAIM), []
    tags = list(WEIGHTS)
    for number, pick in enumerate(islice(again(cycle(list(WEIGHTS.values()))), 3000)):
        in_flight.append(tags[pick])
        while in_flight and chance.random() < (0.6 if number % 600 < 300 else 0.4):
            split.take(answers(1, in_flight.pop(chance.randrange(len(in_flight)))))
        split.look(number, len(in_flight))
    split.take([answer for tag in in_flight for answer in answers(1, tag)])
    split.finish(3001, 0)
    for moment in split.moments:
        for tag in WEIGHTS:
            point = split.point(tag, moment)
            assert point.lowest - 1e-9 <= point.deviation <= point.highest + 1e-9
    ends = [split.point(tag, split.moments[-1]) for tag in WEIGHTS]
    assert [point.highest for point in ends] == [-point.lowest for point in ends] == list(split.allowed.values())
