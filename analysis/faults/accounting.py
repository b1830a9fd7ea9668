"""What the faults of a run account for, in the ledgers and in the stack: it is no fault of the balancer's."""

from collections import Counter
from dataclasses import dataclass, field

import pandas as pd

from analysis.evidence import Evidence
from analysis.faults.aftermath import Aftermath
from analysis.faults.losses import is_of_nginx
from analysis.faults.outages import ENDS
from analysis.reconciliation import Difference
from scenarios.fault import Kind

OF_REQUESTS = {Difference.REFUSED, Difference.RETRIED, Difference.FAILED_ATTEMPT, Difference.LOST}


@dataclass(frozen=True)
class Account:
    """What is to be expected, by what it is expected of; empty in a run without faults.

    `ended` backends have counted anew, perhaps under another address, `broken` ones were not well for a while,
    `limited` ones had another limit of CPU. `other_workers` tells whether the balancer is to have others afterwards,
    and `unlogged` how many requests died with one of them, which logged nothing of what backends did for them. Of
    `unanswered` requests a backend may have done the work when nobody waited for it any more.
    """

    ended: frozenset[str] = field(default_factory=frozenset)
    broken: frozenset[str] = field(default_factory=frozenset)
    limited: frozenset[str] = field(default_factory=frozenset)
    other_workers: bool = False
    unlogged: int = 0
    unanswered: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, aftermath: Aftermath | None) -> "Account":
        """What the faults of a run account for."""
        if aftermath is None:
            return cls()
        amiss = aftermath.outages
        of_number = {each.number: each for each in amiss}
        lost = [of_number[number] for number in aftermath.losses["fault"] if number in of_number]
        return cls(
            unanswered=dict(Counter(outage.whom for outage in lost)),
            unlogged=sum(outage.what is Kind.KILL_NGINX_WORKER for outage in lost),
            ended=frozenset(outage.whom for outage in amiss if outage.what in ENDS),
            broken=frozenset(outage.whom for outage in amiss if outage.whom),
            limited=frozenset(outage.whom for outage in amiss if outage.what is Kind.LIMIT_CPU),
            other_workers=any(is_of_nginx(outage) for outage in amiss),
        )

    def done_for_nobody(self, tag: str) -> int:
        """How many models a backend may have created that nobody was told of."""
        return self.unlogged + self.unanswered.get(tag, 0)


def unaccounted(differences: pd.DataFrame, evidence: Evidence, aftermath: Aftermath | None) -> pd.DataFrame:
    """The differences between the ledgers that no fault accounts for: all, where there were none."""
    if aftermath is None:
        return differences
    explained = {*_ids(evidence, aftermath)}
    of_requests = differences["difference"].isin(OF_REQUESTS) & differences["request_id"].isin(explained)
    unasked = differences["difference"] == Difference.UNASKED
    of_unlogged = unasked & (differences.loc[unasked, "count"].sum() <= Account.of(aftermath).unlogged)
    return differences[~of_requests & ~of_unlogged]


def _ids(evidence: Evidence, aftermath: Aftermath) -> list[str]:
    """The requests that were lost by a fault, or met a backend while it was broken and went on to another."""
    lost = aftermath.losses.loc[aftermath.losses["fault"] != 0, "request_id"]
    failed = aftermath.tries[aftermath.tries["failed"] & ~aftermath.tries["last"]]
    met = [
        any(outage.whom == tag and outage.meets(from_s, until_s) for outage in aftermath.outages)
        for tag, from_s, until_s in zip(failed["host_tag"], failed["from_s"], failed["until_s"], strict=True)
    ]
    by_request = pd.Series(met, index=failed["request_id"], dtype=bool).groupby(level=0).all()
    went_on = by_request.index[by_request]
    return [*evidence.ids.texts(lost), *evidence.ids.texts(pd.Series(went_on))]
