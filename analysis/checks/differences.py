"""The checks of differences between the ledgers: a kind for each `Difference`, and what it does to other checks."""

from dataclasses import dataclass
from enum import Enum

import pandas as pd

from analysis.checks import sources
from analysis.checks.check import Check, CheckKind, Outcome, Source
from analysis.measures.reconciliation import Difference
from scenarios.formats.columns import Column

NAMED_IDS = 3
FAIL, INVALID = Outcome.FAIL, Outcome.INVALID


class SplitEffect(Enum):
    """What a difference between the ledgers takes from the other checks."""

    NONE = "nothing"
    PICKS = "the split: the exact bound needs to know every pick, and that none was disturbed"
    REQUESTS = "the split, and the other differences: the ledgers are not of the same requests"


@dataclass(frozen=True, kw_only=True)
class DifferenceKind(CheckKind):
    """A difference between the ledgers. `outcome` is that of a run which has it."""

    title: Difference
    outcome: Outcome
    effect: SplitEffect
    needs_counters: bool = False  # only the backends' counters can show it
    evidence: Source = sources.DIFFERENCES


_DECLARED = (
    DifferenceKind(
        title=Difference.FOREIGN,
        claim="No other client used the balancer.",
        meaning="Picks went to requests that the client knows nothing of, and moved the split.",
        outcome=INVALID,
        effect=SplitEffect.REQUESTS,
    ),
    DifferenceKind(
        title=Difference.UNRECORDED,
        claim="The client has a row for each of its requests that the balancer saw.",
        meaning="The client's ledger has lost requests that it sent; its counts are too small.",
        outcome=INVALID,
        effect=SplitEffect.REQUESTS,
    ),
    DifferenceKind(
        title=Difference.REPEATED,
        claim="The balancer saw each request once.",
        meaning="Two rows of the log claim to be the same request; counts of the balancer are too large.",
        outcome=INVALID,
        effect=SplitEffect.REQUESTS,
    ),
    DifferenceKind(
        title=Difference.UNLOGGED,
        claim="The balancer has logged every request that was answered.",
        meaning="The balancer's log has lost requests that were answered; its counts are too small.",
        outcome=INVALID,
        effect=SplitEffect.REQUESTS,
    ),
    DifferenceKind(
        title=Difference.REFUSED,
        claim="Every request reached the balancer.",
        meaning="Requests were turned away before the balancer logged them, as when it has no connection left.",
        outcome=FAIL,
        effect=SplitEffect.NONE,
    ),
    DifferenceKind(
        title=Difference.ABANDONED,
        claim="The client waited for every answer.",
        meaning="Answers came too late for the client, or it was stopped; those picks are not in its ledger.",
        outcome=INVALID,
        effect=SplitEffect.REQUESTS,
    ),
    DifferenceKind(
        title=Difference.ALTERED,
        claim="What the balancer passed on is what the client received, whole.",
        meaning="Users received something else than the backend said, or only a part of it.",
        outcome=FAIL,
        effect=SplitEffect.NONE,
    ),
    DifferenceKind(
        title=Difference.RETRIED,
        claim="No request was tried on a second backend, which would be another pick.",
        meaning="A request took more than one pick, and may have been processed more than once.",
        outcome=INVALID,
        effect=SplitEffect.PICKS,
    ),
    DifferenceKind(
        title=Difference.FAILED_ATTEMPT,
        claim="No attempt failed, which would lower that backend's weight for a while.",
        meaning="A backend failed at least once, and its weight was lowered for a while.",
        outcome=INVALID,
        effect=SplitEffect.PICKS,
    ),
    DifferenceKind(
        title=Difference.TWICE,
        claim="No request was processed by two backends.",
        meaning="A request took effect twice, which does damage where it is an order or a payment.",
        outcome=FAIL,
        effect=SplitEffect.NONE,
        needs_counters=True,
    ),
    DifferenceKind(
        title=Difference.LOST,
        claim="Every request that a backend processed was answered.",
        meaning="A request took effect, and the user was told that it had not, or nothing at all.",
        outcome=FAIL,
        effect=SplitEffect.NONE,
        needs_counters=True,
    ),
    DifferenceKind(
        title=Difference.UNCOUNTED,
        claim="Every backend has counted each request that it answered.",
        meaning="A backend answered what it did not count, or its counter is wrong.",
        outcome=FAIL,
        effect=SplitEffect.NONE,
        needs_counters=True,
    ),
    DifferenceKind(
        title=Difference.UNASKED,
        claim="Only the balancer used the backends.",
        meaning="Another client used a backend without the balancer, or the backend's counter is wrong.",
        outcome=INVALID,
        effect=SplitEffect.NONE,
        needs_counters=True,
    ),
)
_OF = {kind.title: kind for kind in _DECLARED}
KINDS = tuple(_OF[difference] for difference in Difference)  # one without a kind fails here, at import


def of_requests(differences: pd.DataFrame) -> bool:
    """Whether the ledgers are not of the same requests, so that what one has too much of proves nothing."""
    disturbing = [kind.title for kind in KINDS if kind.effect is SplitEffect.REQUESTS]
    return bool(differences[Column.DIFFERENCE].isin(disturbing).any())


def difference_check(kind: DifferenceKind, differences: pd.DataFrame, *, sound: bool, known: bool = True) -> Check:
    """A fault of the system can be told where the ledgers are `sound`; that there is none, where it is `known`."""
    rows = differences[differences[Column.DIFFERENCE] == kind.title]
    ids = rows.loc[rows[Column.REQUEST_ID] != "", Column.REQUEST_ID]
    named = ", ".join(ids.head(NAMED_IDS)) + (", …" if len(ids) > NAMED_IDS else "")
    observed = f"{rows[Column.COUNT].sum():,}" + (f" ({named})" if named else "")
    none = Outcome.PASS if known else INVALID
    return Check(
        kind=kind,
        expected="0",
        observed=observed if known or len(rows) else "not every backend has counted",
        outcome=none if rows.empty else kind.outcome if sound else INVALID,
    )
