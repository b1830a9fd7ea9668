"""The rows of a probe, and the windows of consecutive picks in them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd

import pandas as pd

from scenarios.formats.columns import Column
from scenarios.formats.probe_record import Phase


@dataclass(frozen=True)
class Probe:
    """The rows of a probe (`Probed`), the weights by HOST_TAG, and the backend that was paused in the slowed phase."""

    rows: pd.DataFrame
    weights: dict[str, int]
    paused: str

    @property
    def cycle(self) -> dict[str, int]:
        """The weights in their lowest terms: what W consecutive picks hold, W being their sum."""
        divisor = gcd(*self.weights.values())
        return {tag: weight // divisor for tag, weight in self.weights.items()}

    @property
    def length(self) -> int:
        """W, in requests."""
        return sum(self.cycle.values())

    def of(self, phase: Phase) -> pd.DataFrame:
        """The rows of a phase, in the order in which they were sent."""
        return self.rows[self.rows[Column.PHASE] == phase].sort_values(Column.NUMBER)

    @property
    def picks(self) -> list[str]:
        """The backends that were picked, one request after the other."""
        return list(self.of(Phase.SEQUENTIAL)[Column.HOST_TAG])

    @property
    def picks_of_workers(self) -> list[list[str]]:
        """The same for each of the balancer's workers."""
        return [list(rows[Column.HOST_TAG]) for _, rows in self.of(Phase.SEQUENTIAL).groupby(Column.PID)]


def windows_of(probe: Probe, sequences: Sequence[Sequence[str]]) -> tuple[int, int]:
    """How many windows of W consecutive picks these sequences have, and how many do not hold exactly the weights."""
    counts = [Counter(window) for picks in sequences for window in windows(picks, probe.length)]
    return len(counts), sum(count != probe.cycle for count in counts)


def windows(picks: Sequence[str], length: int) -> Iterator[Sequence[str]]:
    """Every run of so many consecutive picks."""
    return (picks[start : start + length] for start in range(len(picks) - length + 1))
