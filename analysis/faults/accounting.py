"""What the faults of a run account for, in the ledgers and in the stack: it is no fault of the balancer's."""

from collections import Counter
from dataclasses import dataclass, field

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.faults.aftermath import Aftermath
from analysis.measures.reconciliation import Difference
from scenarios.formats.columns import Column
from scenarios.spec.fault_kind import FaultKind

OF_HANDED_ON = {Difference.RETRIED, Difference.FAILED_ATTEMPT}
OF_LOST = {*OF_HANDED_ON, Difference.REFUSED, Difference.LOST, Difference.ALTERED}  # an answer may be cut off


@dataclass(frozen=True)
class Account:
    """What is to be expected, by what it is expected of; empty in a run without faults.

    `ended` backends have counted anew, perhaps under another address, `broken` ones were not well for a while,
    `limited` ones had another limit of CPU. `other_workers` tells whether the balancer is to have others afterwards,
    and `unlogged` how many requests died with one of them, which logged nothing of what backends did for them, besides
    those that it had `answered`. Of `unanswered` requests a backend may have done the work in vain.
    """

    ended: frozenset[str] = field(default_factory=frozenset)
    broken: frozenset[str] = field(default_factory=frozenset)
    limited: frozenset[str] = field(default_factory=frozenset)
    other_workers: bool = False
    unlogged: int = 0
    answered: dict[str, int] = field(default_factory=dict)
    unanswered: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, aftermath: Aftermath | None) -> "Account":
        """What the faults of a run account for."""
        if aftermath is None:
            return cls()
        amiss = aftermath.outages
        of_number = {each.number: each for each in amiss}
        lost = [of_number[number] for number in aftermath.losses[Column.FAULT] if number in of_number]
        return cls(
            unanswered=dict(Counter(outage.backend for outage in lost)),
            answered=dict(Counter(aftermath.unlogged[Column.HOST_TAG])),
            unlogged=sum(outage.kind is FaultKind.KILL_NGINX_WORKER for outage in lost),
            ended=frozenset(outage.backend for outage in amiss if outage.kind.effect.ends_process),
            broken=frozenset(outage.backend for outage in amiss if outage.backend),
            limited=frozenset(outage.backend for outage in amiss if outage.kind is FaultKind.LIMIT_CPU),
            other_workers=any(outage.kind.is_of_balancer for outage in amiss),
        )

    def done_in_vain(self, tag: str) -> int:
        """How many right answers a backend may have counted of requests that were not answered."""
        return self.unlogged + self.unanswered.get(tag, 0)


def unaccounted(differences: pd.DataFrame, evidence: Evidence, aftermath: Aftermath | None) -> pd.DataFrame:
    """The differences between the ledgers that no fault accounts for: all, where there were none."""
    if aftermath is None:
        return differences
    kinds, ids = differences[Column.DIFFERENCE], differences[Column.REQUEST_ID]
    lost = aftermath.losses.loc[aftermath.losses[Column.FAULT] != 0, Column.REQUEST_ID]
    of_lost = kinds.isin(OF_LOST) & ids.isin(evidence.ids.texts(lost))
    of_handed_on = kinds.isin(OF_HANDED_ON) & ids.isin(evidence.ids.texts(_handed_on(aftermath)))
    unasked = kinds == Difference.UNASKED
    of_answered = (kinds == Difference.UNLOGGED) & ids.isin(evidence.ids.texts(aftermath.unlogged[Column.REQUEST_ID]))
    died = Account.of(aftermath).unlogged + len(aftermath.unlogged)
    of_unlogged = unasked & (differences.loc[unasked, Column.COUNT].sum() <= died)
    return differences[~of_lost & ~of_handed_on & ~of_answered & ~of_unlogged]


def _handed_on(aftermath: Aftermath) -> pd.Series:
    """The requests (numbers) that met a backend while it was broken, and went on to another."""
    failed = aftermath.attempts[aftermath.attempts[Column.FAILED] & ~aftermath.attempts[Column.LAST]]
    met = [
        any(outage.backend == tag and outage.meets(from_s, until_s) for outage in aftermath.outages)
        for tag, from_s, until_s in zip(
            failed[Column.HOST_TAG], failed[Column.FROM_S], failed[Column.UNTIL_S], strict=True
        )
    ]
    by_request = pd.Series(met, index=failed[Column.REQUEST_ID], dtype=bool).groupby(level=0).all()
    return pd.Series(by_request.index[by_request])
