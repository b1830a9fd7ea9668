"""The split of a run while it goes on: counts, latencies and failures by backend, and how they came about."""

from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple

from scenarios.claim import Claim
from scenarios.ledgers import Response
from scenarios.round_robin import window_bounds

MOMENTS = 240  # kept of a run, however long
PRECISE_BITS = 12  # of a latency: what is said of it is at most a two-thousandth too low


class Part(NamedTuple):
    """The part of one backend: a row of the table of the split. Latencies are None where nobody answered."""

    host_tag: str
    weight: int
    expected: float
    answered: int
    share: float
    deviation: float
    allowed: float
    p50_ms: float | None
    p99_ms: float | None
    failed: int


class Moment(NamedTuple):
    """The counts of the claim's backends at one moment, in seconds since the run began."""

    at_s: float
    answered: dict[str, int]
    total: int  # answered by whomever
    in_flight: int


class Point(NamedTuple):
    """The part of one backend at one moment, and the band that its deviation is in while the claim holds.

    What is in flight was given to somebody, but nobody can say yet to whom: the band is the exact bound and that.
    """

    share: float | None  # None while nobody has answered
    deviation: float
    lowest: float
    highest: float


class Split:
    """Takes every row of the client's ledger as it comes, and keeps counts only.

    As in the report, an answer counts for whoever gave it, well or badly; one that names nobody is nobody's.
    """

    def __init__(self, claim: Claim) -> None:
        self.weights = claim.weights
        bounds = window_bounds(list(claim.weights.values()))
        self.allowed = {tag: float(claim.cycles * bound) for tag, bound in zip(claim.weights, bounds, strict=True)}
        self.rows = 0  # requests that have come to their end, answered or not
        self.answered: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self._latencies: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.moments: list[Moment] = []  # in order
        self._apart_s = 0.1

    def take(self, responses: list[Response]) -> None:
        """Count these."""
        self.rows += len(responses)
        self.answered.update(map(attrgetter("host_tag"), responses))
        for response in responses:
            self._latencies[response.host_tag][_coarse(response.latency_us)] += 1
            if response.error:
                self.failed[response.host_tag] += 1
                self.errors[response.error] += 1

    def look(self, at_s: float, in_flight: int) -> None:
        """Keep the counts of this moment, if it is long enough after the last one."""
        if self.moments and at_s - self.moments[-1].at_s < self._apart_s:
            return
        self._keep(at_s, in_flight)
        if len(self.moments) > MOMENTS:  # every second one is enough from here on
            self.moments = self.moments[::2]
            self._apart_s *= 2

    def finish(self, at_s: float, in_flight: int) -> None:
        """Keep the counts of the end, when nothing is in flight any more but what nobody will ever hear of."""
        self._keep(at_s, in_flight)

    def _keep(self, at_s: float, in_flight: int) -> None:
        self.moments.append(Moment(at_s, {tag: self.answered[tag] for tag in self.weights}, self.total, in_flight))

    @property
    def total(self) -> int:
        """Requests that some backend answered."""
        return self.rows - self.answered[""]

    @property
    def commonest_error(self) -> str:
        """What most requests failed of; empty while none has."""
        return max(self.errors, key=lambda error: self.errors[error]) if self.errors else ""

    def parts(self) -> list[Part]:
        """A row per backend of the claim, then one per stranger that answered."""
        strangers = sorted(tag for tag in self.answered if tag and tag not in self.weights)
        return [self._part(tag) for tag in (*self.weights, *strangers)]

    def expected(self, tag: str, total: int) -> float:
        """The part of one backend of so many requests, as it is claimed."""
        return total * self.weights.get(tag, 0) / sum(self.weights.values())

    def point(self, tag: str, moment: Moment) -> Point:
        """The part of a backend of the claim at this moment."""
        total, answered, claimed = moment.total, moment.answered[tag], self.expected(tag, 1)
        return Point(
            share=answered / total if total else None,
            deviation=answered - total * claimed,
            lowest=-self.allowed[tag] - moment.in_flight * (1 - claimed),
            highest=self.allowed[tag] + moment.in_flight * claimed,
        )

    def _part(self, tag: str) -> Part:
        total, answered = self.total, self.answered[tag]
        expected = self.expected(tag, total)
        p50_ms, p99_ms = self._percentiles_ms(tag)
        return Part(
            host_tag=tag,
            weight=self.weights.get(tag, 0),
            expected=expected,
            answered=answered,
            share=answered / max(1, total),
            deviation=answered - expected,
            allowed=self.allowed.get(tag, 0.0),
            p50_ms=p50_ms,
            p99_ms=p99_ms,
            failed=self.failed[tag],
        )

    def _percentiles_ms(self, tag: str) -> tuple[float | None, float | None]:
        counts = self._latencies.get(tag)
        if not counts:
            return None, None
        ordered = sorted(counts)
        reached = list(accumulate(counts[value] for value in ordered))
        p50, p99 = (bisect_left(reached, -(-reached[-1] * percent // 100)) for percent in (50, 99))
        return ordered[p50] / 1e3, ordered[p99] / 1e3


def _coarse(latency_us: int) -> int:
    """The latency with as many of its leading bits as are kept."""
    shift = max(0, latency_us.bit_length() - PRECISE_BITS)
    return latency_us >> shift << shift
