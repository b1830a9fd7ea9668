"""What was amiss, of whom and when: the faults of a run, each with its cure."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import pandas as pd

from scenarios.fault import OF_NGINX, Kind
from scenarios.ledgers import Strike

CURES = (Kind.START, Kind.RESUME)
PASSING = {Kind.RESTART, Kind.NEW_ADDRESS, *OF_NGINX}  # over when they are done
NOTICED = {Kind.KILL, Kind.STOP, Kind.RESTART, Kind.NEW_ADDRESS, Kind.HANG, Kind.DROP_PACKETS}  # by passive checks
ENDS = {Kind.KILL, Kind.STOP, Kind.RESTART, Kind.NEW_ADDRESS}  # the process: its counters begin anew


@dataclass(frozen=True)
class Outage:
    """One fault, from when on, and until when. Times are in seconds since the Unix epoch."""

    number: int  # of the fault in the scenario
    what: Kind
    whom: str  # a backend; empty when it was done to nginx
    stage: str
    began_s: float  # when it was begun
    broken_s: float  # when it was done
    cured_s: float  # when its cure was begun; infinite when there was none
    well_s: float  # when the backend answered its health check again

    @property
    def text(self) -> str:
        """What and whom."""
        return f"{self.what} {self.whom}".rstrip()

    @property
    def is_noticed(self) -> bool:
        """Whether passive checks can see it."""
        return self.what in NOTICED

    def meets(self, from_s: float, until_s: float) -> bool:
        """Whether it was going on at any moment of this time."""
        return self.began_s <= until_s and from_s <= self.well_s

    def costs(self, from_s: float, until_s: float) -> bool:
        """Whether it can have cost an attempt of this time: one that was killed loses what it has, and then refuses."""
        return self.began_s <= until_s and from_s <= (self.broken_s if self.what is Kind.KILL else self.well_s)

    def fills(self, from_s: float, until_s: float) -> bool:
        """Whether it was going on all this time."""
        return self.broken_s <= from_s and until_s <= self.cured_s


def outages(strikes: pd.DataFrame) -> list[Outage]:
    """The outages of a run, in the order of time. What could not be done is none."""
    done = [Strike(*row) for row in strikes.itertuples(index=False) if not row.failure]
    return [_outage(strike, done[place + 1 :]) for place, strike in enumerate(done) if Kind(strike.what) not in CURES]


def _outage(strike: Strike, later: list[Strike]) -> Outage:
    what, began_s, ended_s = Kind(strike.what), strike.began_us / 1e6, strike.ended_us / 1e6
    if what in PASSING:
        broken_s, cured_s, well_s = began_s, began_s, ended_s
    else:
        cure = next((each for each in later if each.whom == strike.whom and Kind(each.what) in CURES), None)
        broken_s = ended_s
        cured_s, well_s = (cure.began_us / 1e6, cure.ended_us / 1e6) if cure else (inf, inf)
    return Outage(strike.number, what, strike.whom, strike.stage, began_s, broken_s, cured_s, well_s)


class Night(NamedTuple):
    """A time in which no backend lived, in seconds since the Unix epoch."""

    from_s: float
    until_s: float


def dark(outages: list[Outage], backends: list[str]) -> Iterator[Night]:
    """The times in which no backend lived: from when on, and until the first was well again."""
    noticed = [outage for outage in outages if outage.is_noticed]
    for last in noticed:
        others = [
            next((each for each in noticed if each.whom == tag and each.fills(last.broken_s, last.broken_s)), None)
            for tag in backends
            if tag != last.whom
        ]
        together = [last, *(other for other in others if other is not None)]
        if len(together) == len(backends):
            yield Night(last.began_s, min(outage.well_s for outage in together))
