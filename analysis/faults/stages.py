"""What the split of each stage is to be, by what was amiss in it: nothing is under way between two stages."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import inf
from typing import NamedTuple

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.faults.aftermath import Aftermath
from analysis.faults.outages import Outage
from scenarios.formats.columns import Column
from scenarios.spec.claim import Claim
from scenarios.spec.fault_kind import FaultKind
from scenarios.spec.round_robin.currents import TooManyStates
from scenarios.spec.round_robin.cycle import window_bounds
from scenarios.spec.round_robin.outage import survivor_bounds
from scenarios.spec.round_robin.recovery import (
    healed_bounds,
    reloaded_bounds,
    returned_bounds,
    rising_bounds,
    settling_picks,
)

Bounds = Callable[[], dict[str, Fraction]]  # raises `TooManyStates` where the weights are beyond the search

EVERY_BACKEND = "every backend takes part"


class Seen(NamedTuple):
    """A stage as it was: its time, in seconds since the Unix epoch, and what the balancer did in it."""

    stage: str
    from_s: float
    until_s: float
    attempts: pd.DataFrame  # at backends
    unlogged: int  # requests of which the balancer says nothing


@dataclass(frozen=True)
class StageSplit:
    """The picks of a stage among the backends that took part in it.

    `condition` says what was amiss. By backend: how many `picks` it had, its exact share of them, and how many more or
    fewer are `allowed`. `doubt` is why no bound is known, and nothing is `allowed` then; it is empty when one is.
    """

    stage: str
    condition: str
    picks: dict[str, int]
    shares: dict[str, Fraction]
    allowed: dict[str, Fraction]
    doubt: str

    def off(self, tag: str) -> Fraction:
        """How many picks more than its share a backend had; below zero when it had fewer."""
        return self.picks[tag] - self.shares[tag]


def parts(evidence: Evidence, aftermath: Aftermath) -> list[StageSplit]:
    """A part for each stage of which the split can be predicted: in the others a backend left, or came back."""
    client = evidence.responses
    ended_us = client[Column.SENT_US] + client[Column.LATENCY_US]
    once = client.drop_duplicates(Column.REQUEST_ID)  # an id that came twice has made the split untestable already
    stage_of = pd.Series(once[Column.STAGE].astype("str").to_numpy(), index=once[Column.REQUEST_ID])
    attempts = aftermath.attempts.assign(**{Column.STAGE: aftermath.attempts[Column.REQUEST_ID].map(stage_of)})
    found = []
    for stage in evidence.stages:
        rows = (client[Column.STAGE] == stage).to_numpy()
        if rows.any():
            own = attempts[(attempts[Column.STAGE] == stage) & (attempts[Column.HOST_TAG] != "")]
            unlogged = int(rows.sum()) - own[Column.REQUEST_ID].nunique()
            time_s = client[Column.SENT_US][rows].min() / 1e6, ended_us[rows].max() / 1e6
            found.append(_part(Seen(stage, *time_s, own, unlogged), evidence, aftermath))
    return [part for part in found if part is not None]


def _part(seen: Seen, evidence: Evidence, aftermath: Aftermath) -> StageSplit | None:
    claim = evidence.manifest.claim
    noticed = [each for each in aftermath.outages if each.is_noticed and each.backend in claim.weights]
    felt = [outage for outage in noticed if _is_felt(outage, aftermath, seen)]
    missing = {outage.backend for outage in felt}
    if not all(_is_out(outage, aftermath, seen) for outage in felt) or missing >= claim.weights.keys():
        return None
    weights = {tag: weight for tag, weight in claim.weights.items() if tag not in missing}
    picks = {tag: int((seen.attempts[Column.HOST_TAG] == tag).sum()) for tag in weights}
    total = sum(picks.values())
    condition, bounds = _condition(seen, felt, total, evidence, aftermath)
    allowed, doubt = _allowed(bounds, seen.unlogged)
    return StageSplit(
        seen.stage,
        condition,
        picks,
        shares={tag: Fraction(total * weight, sum(weights.values())) for tag, weight in weights.items()},
        allowed=allowed,
        doubt=doubt,
    )


def _allowed(bounds: Bounds, unlogged: int) -> tuple[dict[str, Fraction], str]:
    """By backend, how far it may be off its share; and why that is not known, if so."""
    try:
        return {tag: bound + unlogged for tag, bound in bounds().items()}, ""
    except TooManyStates as error:
        return {}, str(error)


def _is_felt(outage: Outage, aftermath: Aftermath, seen: Seen) -> bool:
    """Whether it went on, or its backend was not asked again yet, at any moment of this time."""
    returned_s = aftermath.table[Column.RETURNED_S][outage.number]
    return outage.began_s <= seen.until_s and not outage.well_s + returned_s < seen.from_s


def _is_out(outage: Outage, aftermath: Aftermath, seen: Seen) -> bool:
    """Whether the balancer knew of it all this time."""
    noticed_s = aftermath.table[Column.NOTICED_S][outage.number]
    return outage.began_s + noticed_s <= seen.from_s and seen.until_s <= outage.cured_s


def _condition(
    seen: Seen, felt: list[Outage], picks: int, evidence: Evidence, aftermath: Aftermath
) -> tuple[str, Bounds]:
    """What was amiss, and the search for how far each backend that takes part may be off its share."""
    claim, of_nginx = evidence.manifest.claim, [each for each in aftermath.outages if not each.backend]
    tags, weights = list(claim.weights), list(claim.weights.values())
    if felt:
        missing = sorted({outage.backend for outage in felt})
        asked = int((seen.attempts[Column.HOST_TAG].isin(missing)).sum())
        hanging = any(outage.kind.effect.keeps_waiting for outage in felt)
        condition = f"without {' and '.join(missing)}, asked again in vain: {asked:,}"
        return condition, partial(_of_survivors, claim, missing, asked, hanging=hanging)
    reloads = sum(each.kind is FaultKind.RELOAD_NGINX for each in of_nginx if each.meets(seen.from_s, seen.until_s))
    if reloads:
        return f"reloads of nginx: {reloads:,}", lambda: _times(claim.cycles, tags, reloaded_bounds(weights, reloads))
    killed = sum(each.kind is FaultKind.KILL_NGINX_WORKER for each in of_nginx if each.meets(seen.from_s, seen.until_s))
    if killed:
        cycles = claim.cycles + (killed if claim.cycles > 1 else 0)  # shared memory outlives a worker
        return f"killed workers of nginx: {killed:,}", lambda: _times(cycles, tags, window_bounds(weights))
    before = [each for each in aftermath.outages if each.is_noticed and each.began_s < seen.from_s]
    if before:
        since = _picks_since_return(seen, before, aftermath)
        return "every backend is back", lambda: _times(
            claim.cycles, tags, _returned(weights, picks, claim.cycles, since)
        )
    return EVERY_BACKEND, lambda: _times(claim.cycles, tags, window_bounds(weights))


def _of_survivors(claim: Claim, missing: list[str], asked: int, *, hanging: bool) -> dict[str, Fraction]:
    tags, weights = list(claim.weights), list(claim.weights.values())
    probes = asked + len(missing)  # each may be about to be asked
    bounds = survivor_bounds(weights, [tags.index(tag) for tag in missing], probes, hanging=hanging)
    return {tags[place]: claim.cycles * bound for place, bound in bounds.items()}


def _returned(weights: list[int], picks: int, cycles: int, since: int) -> list[Fraction]:
    """By how many picks there were since the return. How many of all each of several cycles had is not known."""
    if cycles > 1:
        return rising_bounds(weights)
    return healed_bounds(weights, picks) if since >= settling_picks(weights) else returned_bounds(weights, picks)


def _picks_since_return(seen: Seen, before: list[Outage], aftermath: Aftermath) -> int:
    """How many attempts were begun after every backend that was out had answered again, and before this time."""
    attempts, answered_s = aftermath.attempts, []
    for outage in before:
        returned_s = outage.well_s + aftermath.table[Column.RETURNED_S][outage.number]
        good = (
            (attempts[Column.HOST_TAG] == outage.backend)
            & ~attempts[Column.FAILED]
            & (attempts[Column.FROM_S] >= returned_s)
        )
        answered_s.append(min(attempts.loc[good, Column.UNTIL_S], default=inf))
    return int(((attempts[Column.FROM_S] > max(answered_s)) & (attempts[Column.FROM_S] < seen.from_s)).sum())


def _times(cycles: int, tags: list[str], bounds: list[Fraction]) -> dict[str, Fraction]:
    return {tag: cycles * bound for tag, bound in zip(tags, bounds, strict=True)}
