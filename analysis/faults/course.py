"""How a run with faults went, stretch by stretch: who was picked how often, what was predicted, what was lost."""

from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.faults.absence import Absence, absences
from analysis.faults.aftermath import Aftermath
from analysis.faults.losses import BY_BLACKOUT
from analysis.measures.timeline import Stretches
from scenarios.formats.columns import Column
from scenarios.spec.fault_kind import FaultKind

BY_FAULTS, WHILE_ALL_DOWN, UNEXPLAINED = CAUSES = (Column.BY_FAULTS, Column.WHILE_ALL_DOWN, Column.UNEXPLAINED)


@dataclass(frozen=True)
class Course:
    """What happened when. All times are in seconds since the first request.

    `shares` has a row per stretch of time (`at_s`, where it begins, and `seconds`) and backend of the claim: how often
    it was picked, its share of all picks, and the share that was `predicted`. The share is not a number where there
    were fewer picks than a cycle has, the prediction where there is none: from when a backend was broken until the
    balancer knew of it or had to, and from when it may be asked again until it was or had to be.

    `losses_over_time` has a row per stretch: of the requests that failed in it, how many were lost by a fault, how many
    because no backend lived, and how many for no reason that is known.

    `marks` has a row for each fault that was applied: when, the kind, the backend; whether it was a cure; if not, how
    many requests were lost by it, and how many may be.
    """

    shares: pd.DataFrame
    losses_over_time: pd.DataFrame
    marks: pd.DataFrame

    @classmethod
    def of(cls, evidence: Evidence, sampled: pd.DataFrame, aftermath: Aftermath | None) -> "Course | None":
        """Of a run with an aftermath; `sampled` is what was seen of the generator."""
        if aftermath is None:
            return None
        stretches = Stretches.of(evidence, sampled)
        return cls(
            _shares(evidence, aftermath, stretches),
            _losses_over_time(aftermath, stretches),
            _marks(evidence, aftermath, stretches),
        )


def _shares(evidence: Evidence, aftermath: Aftermath, stretches: Stretches) -> pd.DataFrame:
    weights, asked = evidence.manifest.claim.weights, aftermath.attempts[aftermath.attempts[Column.HOST_TAG] != ""]
    counted = {tag: _counted(asked.loc[asked[Column.HOST_TAG] == tag, Column.FROM_S], stretches) for tag in weights}
    total = _counted(asked[Column.FROM_S], stretches).astype("float64")
    total[total < sum(weights.values())] = nan
    away = list(absences(aftermath))
    begin_s, width_s = stretches.begin_us / 1e6, stretches.width_us / 1e6
    predicted = [predicted_shares(weights, away, at_s, at_s + width_s) for at_s in begin_s]
    frames = [
        _times(stretches).assign(
            **{
                Column.HOST_TAG: tag,
                Column.PICKS: counted[tag],
                Column.SHARE: counted[tag] / total,
                Column.PREDICTED: [each[tag] for each in predicted],
            }
        )
        for tag in weights
    ]
    return pd.concat(frames, ignore_index=True)


def predicted_shares(weights: dict[str, int], away: list[Absence], from_s: float, until_s: float) -> dict[str, float]:
    """The share of each backend in this time; not a number where one left or came back, or none was there."""
    affected = {each.backend for each in away if each.touches(from_s, until_s)}
    out = {each.backend for each in away if each.fills(from_s, until_s)}
    there = sum(weight for tag, weight in weights.items() if tag not in out)
    if affected != out or not there:
        return dict.fromkeys(weights, nan)
    return {tag: 0.0 if tag in out else weight / there for tag, weight in weights.items()}


def _losses_over_time(aftermath: Aftermath, stretches: Stretches) -> pd.DataFrame:
    ended_s, fault = aftermath.losses[Column.ENDED_S], aftermath.losses[Column.FAULT]
    rows = {BY_FAULTS: fault > 0, WHILE_ALL_DOWN: fault == BY_BLACKOUT, UNEXPLAINED: fault == 0}
    return _times(stretches).assign(**{cause: _counted(ended_s[rows[cause]], stretches) for cause in CAUSES})


def _marks(evidence: Evidence, aftermath: Aftermath, stretches: Stretches) -> pd.DataFrame:
    done = evidence.applied_faults[evidence.applied_faults[Column.FAILURE] == ""]
    results = aftermath.table.reindex(done[Column.NUMBER])
    return pd.DataFrame(
        {
            Column.AT_S: (done[Column.BEGAN_US].to_numpy() - stretches.start_us) / 1e6,
            Column.KIND: done[Column.KIND].to_numpy(),
            Column.BACKEND: done[Column.BACKEND].to_numpy(),
            Column.IS_CURE: [FaultKind.of(kind).is_cure for kind in done[Column.KIND]],
            Column.LOST: results[Column.LOST].to_numpy(dtype="float64"),
            Column.MAY_LOSE: results[Column.MAY_LOSE].to_numpy(dtype="float64"),
        }
    )


def _times(stretches: Stretches) -> pd.DataFrame:
    at_s = (stretches.begin_us - stretches.start_us) / 1e6
    return pd.DataFrame({Column.AT_S: at_s, Column.SECONDS: stretches.width_us / 1e6})


def _counted(moments_s: pd.Series, stretches: Stretches) -> np.ndarray:
    """How many of these moments are in each stretch; one before the first stretch, by another clock, is in it."""
    place = stretches.place((moments_s * 1e6).round().astype("int64").to_numpy())
    return np.bincount(np.clip(place, 0, stretches.number - 1), minlength=stretches.number)
