"""The outages of a run: each fault, from when on, and until when its cure had ended it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import pandas as pd

from scenarios.formats.rows import AppliedFault
from scenarios.spec.fault_kind import FaultKind, MayLose


@dataclass(frozen=True)
class Outage:
    """One fault, from when on, and until when. Times are in seconds since the Unix epoch."""

    number: int  # of the fault in the scenario
    kind: FaultKind
    backend: str  # empty when it was done to nginx
    stage: str
    began_s: float  # when it was begun
    broken_s: float  # when it was done
    cured_s: float  # when its cure was begun; infinite when there was none
    well_s: float  # when the backend answered its health check again

    @property
    def text(self) -> str:
        """The kind and the backend."""
        return f"{self.kind} {self.backend}".rstrip()

    @property
    def is_noticed(self) -> bool:
        """Whether passive checks can notice it."""
        return self.kind.effect.is_noticed

    def meets(self, from_s: float, until_s: float) -> bool:
        """Whether it was going on at any moment of this time."""
        return self.began_s <= until_s and from_s <= self.well_s

    def costs(self, from_s: float, until_s: float) -> bool:
        """Whether it can have cost an attempt of this time: one that was killed loses what it has, and then refuses."""
        at_once = self.kind.effect.may_lose is MayLose.IN_FLIGHT_ON_BACKEND
        return self.began_s <= until_s and from_s <= (self.broken_s if at_once else self.well_s)

    def fills(self, from_s: float, until_s: float) -> bool:
        """Whether it was going on all this time."""
        return self.broken_s <= from_s and until_s <= self.cured_s


def outages(applied_faults: pd.DataFrame) -> list[Outage]:
    """The outages of a run, in the order of time. A fault that could not be applied is none."""
    done = [AppliedFault(*row) for row in applied_faults.itertuples(index=False) if not row.failure]
    return [_outage(each, done[place + 1 :]) for place, each in enumerate(done) if not FaultKind.of(each.kind).is_cure]


def _outage(fault: AppliedFault, later: list[AppliedFault]) -> Outage:
    kind, began_s, ended_s = FaultKind.of(fault.kind), fault.began_us / 1e6, fault.ended_us / 1e6
    if kind.is_passing:
        broken_s, cured_s, well_s = began_s, began_s, ended_s
    else:
        cure = next((each for each in later if each.backend == fault.backend and FaultKind.of(each.kind).is_cure), None)
        broken_s = ended_s
        cured_s, well_s = (cure.began_us / 1e6, cure.ended_us / 1e6) if cure else (inf, inf)
    return Outage(fault.number, kind, fault.backend, fault.stage, began_s, broken_s, cured_s, well_s)


class Blackout(NamedTuple):
    """A time in which no backend lived, in seconds since the Unix epoch."""

    from_s: float
    until_s: float


def blackouts_of(outages: list[Outage], backends: list[str]) -> Iterator[Blackout]:
    """The times in which no backend lived: from when on, and until the first was well again."""
    noticed = [outage for outage in outages if outage.is_noticed]
    for last in noticed:
        others = [
            next((each for each in noticed if each.backend == tag and each.fills(last.broken_s, last.broken_s)), None)
            for tag in backends
            if tag != last.backend
        ]
        together = [last, *(other for other in others if other is not None)]
        if len(together) == len(backends):
            yield Blackout(last.began_s, min(outage.well_s for outage in together))
