"""When a backend has to be without requests, and when that is not known: a fault, its noticing and its return."""

from collections.abc import Iterator
from math import isnan
from typing import NamedTuple

from analysis.faults.aftermath import Aftermath
from analysis.faults.outages import Outage
from scenarios.formats.columns import Column


class Absence(NamedTuple):
    """A backend that passive checks have to take out. Times are in seconds since the Unix epoch."""

    backend: str
    began_s: float  # when it was broken
    known_s: float  # when the balancer knew of it or had to, whichever came first; infinite where it need not know
    asked_s: float  # when it may be asked again
    back_s: float  # when it was asked again, or had to be

    def touches(self, from_s: float, until_s: float) -> bool:
        """Whether it began before the end of this time and was not over at its beginning."""
        return self.began_s < until_s and from_s < self.back_s

    def fills(self, from_s: float, until_s: float) -> bool:
        """Whether the backend has to be left alone all this time."""
        return self.known_s <= from_s and until_s <= self.asked_s


def absences(aftermath: Aftermath) -> Iterator[Absence]:
    """An absence for each outage that passive checks can see."""
    for outage in aftermath.outages:
        if outage.is_noticed:
            yield _absence(outage, aftermath, aftermath.patience.fail_timeout_s)


def _absence(outage: Outage, aftermath: Aftermath, fail_timeout_s: float) -> Absence:
    seen = aftermath.table.loc[outage.number].to_dict()
    known_s = outage.began_s + _earlier(seen[Column.NOTICED_S], seen[Column.NOTICED_WITHIN_S])
    back_s = outage.well_s + _earlier(seen[Column.RETURNED_S], seen[Column.RETURNED_WITHIN_S])
    # what failed is left alone for that long although it is well again
    asked_s = max(outage.cured_s, min(known_s + fail_timeout_s, back_s))
    return Absence(outage.backend, outage.began_s, known_s, asked_s, back_s)


def _earlier(seen_s: float, within_s: float) -> float:
    """What was seen, or else the limit."""
    return within_s if isnan(seen_s) else min(seen_s, within_s)
