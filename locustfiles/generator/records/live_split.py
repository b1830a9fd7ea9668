"""The split of a run while it goes on: counts, latencies and failures by backend, and their course."""

from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple

from scenarios.formats.rows import Response
from scenarios.spec.claim import Claim
from scenarios.spec.round_robin.cycle import window_bounds

MOMENTS = 240  # kept of a run, however long
PRECISE_BITS = 12  # of a latency: a shown latency is at most a two-thousandth too low


class SplitRow(NamedTuple):
    """The share of one backend: a row of the table of the split. A backend without answers has no latencies."""

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


class SplitMoment(NamedTuple):
    """The counts of the claim's backends at one moment, in seconds since the run began."""

    at_s: float
    answered: dict[str, int]
    total: int  # answered by any backend, claimed or not
    in_flight: int


class BackendMoment(NamedTuple):
    """The share of one backend at one moment, and the band that holds its deviation while the claim holds.

    A backend has been picked for each request in flight, but only its answer will say which: the band is the exact
    bound, widened by the requests in flight.
    """

    share: float | None  # None before the first answer
    deviation: float
    lowest: float
    highest: float


class LiveSplit:
    """Counts the rows of the client's ledger as they come, and keeps no row.

    As in the report, each answer counts for the backend that it names, whether it is right or not. An answer that names
    no backend counts for none.
    """

    def __init__(self, claim: Claim) -> None:
        self.weights = claim.weights
        bounds = window_bounds(list(claim.weights.values()))
        self.allowed = {tag: float(claim.cycles * bound) for tag, bound in zip(claim.weights, bounds, strict=True)}
        self.requests = 0  # that have ended, answered or not
        self.answered: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self._latencies: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.moments: list[SplitMoment] = []  # in order
        self._interval_s = 0.1  # between two moments, at least

    def count(self, responses: list[Response]) -> None:
        """Count these rows."""
        self.requests += len(responses)
        self.answered.update(map(attrgetter("host_tag"), responses))
        for response in responses:
            self._latencies[response.host_tag][_coarse(response.latency_us)] += 1
            if response.error:
                self.failed[response.host_tag] += 1
                self.errors[response.error] += 1

    def keep_moment(self, at_s: float, in_flight: int) -> None:
        """Keep the counts of this moment, if the last kept moment is long enough ago."""
        if self.moments and at_s - self.moments[-1].at_s < self._interval_s:
            return
        self.keep_last_moment(at_s, in_flight)
        if len(self.moments) > MOMENTS:  # every second moment is enough from here on
            self.moments = self.moments[::2]
            self._interval_s *= 2

    def keep_last_moment(self, at_s: float, in_flight: int) -> None:
        """Keep the counts at the end of the run. Requests still in flight then will never be reported."""
        answered = {tag: self.answered[tag] for tag in self.weights}
        self.moments.append(SplitMoment(at_s, answered, self.total, in_flight))

    @property
    def total(self) -> int:
        """Requests that some backend answered."""
        return self.requests - self.answered[""]

    @property
    def commonest_error(self) -> str:
        """The error of most failed requests; empty before the first failure."""
        return max(self.errors, key=lambda error: self.errors[error]) if self.errors else ""

    def table(self) -> list[SplitRow]:
        """A row for each backend of the claim, then one for each other backend that answered."""
        unclaimed = sorted(tag for tag in self.answered if tag and tag not in self.weights)
        return [self._row(tag) for tag in (*self.weights, *unclaimed)]

    def expected(self, tag: str, total: int) -> float:
        """The requests that the claim gives to one backend, of so many in total."""
        return total * self.weights.get(tag, 0) / sum(self.weights.values())

    def backend_at(self, tag: str, moment: SplitMoment) -> BackendMoment:
        """The share of a backend of the claim at this moment."""
        total, answered, claimed = moment.total, moment.answered[tag], self.expected(tag, 1)
        return BackendMoment(
            share=answered / total if total else None,
            deviation=answered - total * claimed,
            lowest=-self.allowed[tag] - moment.in_flight * (1 - claimed),
            highest=self.allowed[tag] + moment.in_flight * claimed,
        )

    def _row(self, tag: str) -> SplitRow:
        total, answered = self.total, self.answered[tag]
        expected = self.expected(tag, total)
        p50_ms, p99_ms = self._percentiles_ms(tag)
        return SplitRow(
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
    """The latency, of which only the leading `PRECISE_BITS` are kept."""
    shift = max(0, latency_us.bit_length() - PRECISE_BITS)
    return latency_us >> shift << shift
