"""Two runs, compared: what differs around them, what changed, and what follows."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from analysis.comparison.change import Change
from analysis.comparison.claims import Claimed, claims
from analysis.comparison.comparability import Circumstance, conditions, forbidding
from analysis.comparison.effort import effort
from analysis.comparison.latency import latency_changes
from analysis.comparison.run import ComparedRun
from analysis.comparison.words import answer, refusal
from scenarios.formats.columns import Column

NOT_WORSE, WORSE, CANNOT_TELL = 0, 1, 3  # as the verdict's exit codes; 2 is a wrong request


@dataclass(frozen=True)
class Comparison:
    """What B is against A. Of runs that cannot be compared nothing is judged: there are no claims and no tables."""

    a: str
    b: str
    conditions: list[Circumstance]
    claims: list[Claimed]
    latency: pd.DataFrame | None
    effort: pd.DataFrame | None
    sentence: str
    exit_code: int

    @classmethod
    def of(cls, a: ComparedRun, b: ComparedRun) -> "Comparison":
        """Compare two runs, if they can be."""
        found = conditions(a, b)
        if against := forbidding(found):
            return cls(a.name, b.name, found, [], None, None, refusal(against), CANNOT_TELL)
        claimed, latency = claims(a, b), latency_changes(a.evidence, b.evidence)
        return cls(
            a=a.name,
            b=b.name,
            conditions=found,
            claims=claimed,
            latency=latency,
            effort=effort(a, b),
            sentence=answer(claimed, latency),
            exit_code=_exit_code(claimed, latency),
        )


def _exit_code(claimed: list[Claimed], latency: pd.DataFrame) -> int:
    if Change.WORSE in {*_outcomes(claimed), *latency["outcome"]}:
        return WORSE
    is_unknown = Change.UNKNOWN in set(_outcomes(claimed)) or latency[Column.RATIO].isna().all()
    return CANNOT_TELL if is_unknown else NOT_WORSE


def _outcomes(claimed: list[Claimed]) -> Iterator[Change]:
    yield from (claim.outcome for claim in claimed)
