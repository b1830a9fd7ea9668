"""The run over time, in short stretches of equal length."""

from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.measures.statistics import ranks
from scenarios.formats.columns import Column

MOST = 150  # stretches, unless they already have the greatest width
WIDTHS_US = [10_000, 20_000, 50_000, *(second * 100_000 for second in (1, 2, 5, 10, 20, 50, 100, 200, 300, 600))]
RATES = {
    Column.SENT: Column.SENT_PER_S,
    Column.ANSWERED: Column.ANSWERED_PER_S,
    Column.FAILED: Column.FAILED_PER_S,
}
QUANTILES = {Column.P50_MS: 0.5, Column.P90_MS: 0.9, Column.P99_MS: 0.99, Column.MAX_MS: 1.0}
LATENCY_BITS = 40  # of microseconds; 12 days


class Stretches(NamedTuple):
    """Successive stretches of time, in µs since the Unix epoch."""

    start_us: int
    width_us: int
    number: int

    @classmethod
    def of(cls, evidence: Evidence, sampled: pd.DataFrame) -> Self:
        """From the first request to the end of the last; without requests, over all samples of the generator."""
        sent_us, sampled_us = evidence.responses[Column.SENT_US], sampled.index.to_numpy(dtype="int64")
        moments = sent_us if len(sent_us) else sampled_us
        if not len(moments):
            return cls(0, 1, 0)
        start_us = int(moments.min())
        ended_us = sent_us + evidence.responses[Column.LATENCY_US]
        last_us = int((ended_us if len(sent_us) else sampled_us).max())
        width_us = width_of(last_us - start_us)
        return cls(start_us, width_us, (last_us - start_us) // width_us + 1)

    @property
    def begin_us(self) -> np.ndarray:
        """The beginning of each stretch."""
        return self.start_us + self.width_us * np.arange(self.number)

    def place(self, at_us: Any) -> np.ndarray:
        """The index of the stretch that contains each moment."""
        return np.asarray((at_us - self.start_us) // self.width_us)


def timeline(evidence: Evidence, sampled: pd.DataFrame) -> pd.DataFrame:
    """A row per stretch of time, from the first request on, by its beginning `at_s`; `seconds` is its length.

    `stage` is the stage at its end, `users` the most users in the `sampled` totals of the generator. A request counts
    as sent in the stretch in which the client sent it, and as answered or failed in the stretch in which it ended;
    `_per_s` is the same per second. Percentiles and maximum, in ms, are over the answers in the stretch, whatever their
    status; not a number without an answer.
    """
    responses, stretches = evidence.responses, Stretches.of(evidence, sampled)
    seconds = stretches.width_us / 1e6
    ended = stretches.place((responses[Column.SENT_US] + responses[Column.LATENCY_US]).to_numpy())
    failed = (responses[Column.ERROR] != "").to_numpy()
    answered = (responses[Column.STATUS] > 0).to_numpy()
    happened = {
        Column.SENT: stretches.place(responses[Column.SENT_US].to_numpy()),
        Column.ANSWERED: ended[~failed],
        Column.FAILED: ended[failed],
    }
    counts = {name: np.bincount(place, minlength=stretches.number) for name, place in happened.items()}
    frame = pd.DataFrame(
        {
            Column.AT_S: (stretches.begin_us - stretches.start_us) / 1e6,
            Column.SECONDS: seconds,
            Column.STAGE: _stages(evidence, sampled, stretches.begin_us + stretches.width_us),
            Column.USERS: _users(sampled, stretches),
        }
        | counts
        | {RATES[name]: values / seconds for name, values in counts.items()}
        | _latency(ended[answered], responses[Column.LATENCY_US].to_numpy()[answered], stretches.number)
    )
    return frame.set_index(Column.AT_S)


def lasted_s(evidence: Evidence) -> float:
    """The seconds from the first request to the end of the last."""
    sent_us = evidence.responses[Column.SENT_US]
    return float((sent_us + evidence.responses[Column.LATENCY_US]).max() - sent_us.min()) / 1e6 if len(sent_us) else 0.0


def width_of(length_us: int) -> int:
    """The smallest round width, in µs, that divides a run of this length into at most `MOST` stretches."""
    return next((width for width in WIDTHS_US if length_us < MOST * width), WIDTHS_US[-1])


def _users(sampled: pd.DataFrame, stretches: Stretches) -> Any:
    """The most users in each stretch; without a sample, as many as in the stretch before."""
    place = np.clip(stretches.place(sampled.index.to_numpy(dtype="int64")), -1, stretches.number)
    most = sampled[Column.USERS].astype("Int64").groupby(place).max()
    return most.reindex(range(-1, stretches.number)).ffill().iloc[1:].array


def _stages(evidence: Evidence, sampled: pd.DataFrame, until_us: np.ndarray) -> np.ndarray:
    """The last stage that began before each moment, or the first stage."""
    responses = evidence.responses
    begun = responses[Column.SENT_US].groupby(responses[Column.STAGE]).min()
    seen = pd.Series(sampled.index, dtype="int64").groupby(sampled[Column.STAGE].to_numpy()).min()
    first = pd.concat([begun, seen]).groupby(level=0).min()
    order = [name for name in evidence.stages if name in first.index]
    if not order:
        return np.full(len(until_us), "")
    place = np.searchsorted(np.maximum.accumulate(first[order].to_numpy()), until_us, side="left") - 1
    return np.array(order)[np.maximum(place, 0)]


def _latency(stretch: np.ndarray, latency_us: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """The percentiles of all stretches, from one sort by stretch and latency together."""
    both = (stretch << LATENCY_BITS) | latency_us
    both.sort()
    starts = np.searchsorted(both, np.arange(count + 1) << LATENCY_BITS)
    sizes, at_ms = np.diff(starts), {}
    for name, q in QUANTILES.items():
        value_us = both[np.minimum(starts[:-1] + ranks(sizes, q), max(0, len(both) - 1))] if len(both) else 0
        at_ms[name] = np.where(sizes > 0, (value_us & ((1 << LATENCY_BITS) - 1)) / 1e3, np.nan)
    return at_ms
