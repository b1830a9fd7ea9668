"""What the split of each stage is to be, by what was amiss in it: nothing is under way between two stages."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import pandas as pd

from analysis.evidence import Evidence
from analysis.faults.aftermath import Aftermath
from analysis.faults.outages import Outage
from scenarios.fault import Kind
from scenarios.round_robin import window_bounds
from scenarios.round_robin_after_faults import healed_bounds, reloaded_bounds
from scenarios.round_robin_with_faults import survivor_bounds

HANGING = {Kind.HANG, Kind.DROP_PACKETS}


class Seen(NamedTuple):
    """A stage as it was: its time, in seconds since the Unix epoch, and what the balancer did in it."""

    stage: str
    from_s: float
    until_s: float
    attempts: pd.DataFrame  # at backends
    unlogged: int  # requests of which the balancer says nothing


@dataclass(frozen=True)
class Part:
    """The picks of a stage among those who took part in it. By backend: how many, its exact share, how far off.

    `condition` says what was amiss.
    """

    stage: str
    condition: str
    picks: dict[str, int]
    shares: dict[str, Fraction]
    allowed: dict[str, Fraction]


def parts(evidence: Evidence, aftermath: Aftermath) -> list[Part]:
    """A part for each stage of which the split can be predicted: in the others somebody left, or came back."""
    client = evidence.responses
    ended_us = client["sent_us"] + client["latency_us"]
    stage_of = pd.Series(client["stage"].astype("str").to_numpy(), index=client["request_id"])
    attempts = aftermath.tries.assign(stage=aftermath.tries["request_id"].map(stage_of))
    found = []
    for stage in evidence.stages:
        rows = (client["stage"] == stage).to_numpy()
        if rows.any():
            own = attempts[(attempts["stage"] == stage) & (attempts["host_tag"] != "")]
            unlogged = int(rows.sum()) - own["request_id"].nunique()
            time_s = client["sent_us"][rows].min() / 1e6, ended_us[rows].max() / 1e6
            found.append(_part(Seen(stage, *time_s, own, unlogged), evidence, aftermath))
    return [part for part in found if part is not None]


def _part(seen: Seen, evidence: Evidence, aftermath: Aftermath) -> Part | None:
    claim = evidence.manifest.claim
    felt = [outage for outage in aftermath.outages if outage.is_noticed and _is_felt(outage, aftermath, seen)]
    missing = {outage.whom for outage in felt}
    if not all(_is_out(outage, aftermath, seen) for outage in felt) or missing >= claim.weights.keys():
        return None
    weights = {tag: weight for tag, weight in claim.weights.items() if tag not in missing}
    picks = {tag: int((seen.attempts["host_tag"] == tag).sum()) for tag in weights}
    total = sum(picks.values())
    condition, bounds = _bounds(seen, felt, total, evidence, aftermath)
    return Part(
        seen.stage,
        condition,
        picks,
        shares={tag: Fraction(total * weight, sum(weights.values())) for tag, weight in weights.items()},
        allowed={tag: bounds[tag] + seen.unlogged for tag in weights},
    )


def _is_felt(outage: Outage, aftermath: Aftermath, seen: Seen) -> bool:
    """Whether it went on, or its backend was not asked again yet, at any moment of this time."""
    returned_s = aftermath.table["returned_s"][outage.number]
    return outage.began_s <= seen.until_s and not outage.well_s + returned_s < seen.from_s


def _is_out(outage: Outage, aftermath: Aftermath, seen: Seen) -> bool:
    """Whether the balancer knew of it all this time."""
    noticed_s = aftermath.table["noticed_s"][outage.number]
    return outage.began_s + noticed_s <= seen.from_s and seen.until_s <= outage.cured_s


def _bounds(
    seen: Seen, felt: list[Outage], picks: int, evidence: Evidence, aftermath: Aftermath
) -> tuple[str, dict[str, Fraction]]:
    """What is the matter, and how far each of those who take part may be off its share."""
    claim, of_nginx = evidence.manifest.claim, [each for each in aftermath.outages if not each.whom]
    tags, weights = list(claim.weights), list(claim.weights.values())
    if felt:
        missing = sorted({outage.whom for outage in felt})
        asked = int((seen.attempts["host_tag"].isin(missing)).sum())
        places = [tags.index(tag) for tag in missing]
        hanging = any(outage.what in HANGING for outage in felt)
        bounds = survivor_bounds(weights, places, asked + len(missing), hanging=hanging)  # one may be about to be asked
        return (
            f"{' and '.join(missing)} out, asked {asked:,} times",
            {tags[place]: claim.cycles * bound for place, bound in bounds.items()},
        )
    reloads = sum(each.what is Kind.RELOAD_NGINX for each in of_nginx if each.meets(seen.from_s, seen.until_s))
    if reloads:
        return f"{reloads:,} reloads", _times(claim.cycles, tags, reloaded_bounds(weights, reloads))
    killed = sum(each.what is Kind.KILL_NGINX_WORKER for each in of_nginx if each.meets(seen.from_s, seen.until_s))
    if killed:
        cycles = claim.cycles + (killed if claim.cycles > 1 else 0)  # shared memory outlives a worker
        return f"{killed:,} workers killed", _times(cycles, tags, window_bounds(weights))
    before = [each for each in aftermath.outages if each.is_noticed and each.began_s < seen.from_s]
    if before:
        return "everybody is back", _times(claim.cycles, tags, healed_bounds(weights, picks))
    return "everybody is there", _times(claim.cycles, tags, window_bounds(weights))


def _times(cycles: int, tags: list[str], bounds: list[Fraction]) -> dict[str, Fraction]:
    return {tag: cycles * bound for tag, bound in zip(tags, bounds, strict=True)}
