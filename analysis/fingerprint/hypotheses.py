"""What speaks for and against each algorithm that a balancer may follow, from the rows of a probe."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import pandas as pd

from analysis.fingerprint.chances import chance_of_counts, chance_of_runs
from analysis.fingerprint.probe import Probe, windows_of
from scenarios.formats.columns import Column
from scenarios.formats.probe_record import Phase
from scenarios.spec.balancer import Algorithm
from scenarios.spec.round_robin.cycle import window_bounds

TOO_UNLIKELY = 1e-6  # for a pattern to be chance
UNLIKELY = 1e-3  # for counts to be chance


@dataclass(frozen=True)
class Finding:
    """An algorithm, whether something excludes it, and the evidence, in words.

    `is_certain` is false when what fits it fits something that is not in the list, too.
    """

    algorithm: Algorithm
    is_excluded: bool
    evidence: str
    is_certain: bool = True


def findings(probe: Probe) -> list[Finding]:
    """A finding for every algorithm."""
    return [shared(probe), per_worker(probe), least_connections(probe), random(probe), address_hash(probe)]


def shared(probe: Probe) -> Finding:
    """Weighted round-robin with one state: every W consecutive picks hold exactly the weights, whoever is slow."""
    windows, inexact = windows_of(probe, [probe.picks])
    bound = bounds(probe)[probe.paused]
    slowed = probe.of(Phase.SLOWED)
    kept = abs(deviation(probe, slowed)) <= bound
    evidence = f"{_exactly(probe, windows, inexact)}; {_taken(probe)}"
    return Finding(Algorithm.SHARED, bool(inexact) or not kept, evidence)


def per_worker(probe: Probe) -> Finding:
    """Weighted round-robin with a state in every worker: the same, but within each worker."""
    windows, inexact = windows_of(probe, probe.picks_of_workers)
    bound = bounds(probe)[probe.paused]
    slowed = (rows for _, rows in probe.of(Phase.SLOWED).groupby(Column.PID))
    kept = all(abs(deviation(probe, rows)) <= bound for rows in slowed)
    workers = _many(len(probe.picks_of_workers), "worker")
    evidence = f"{workers}, each by itself: {_exactly(probe, windows, inexact)}"
    if not kept:
        evidence += f"; paused, {probe.paused} got another share from one of them"
    return Finding(Algorithm.PER_WORKER, bool(inexact) or not kept, evidence)


def least_connections(probe: Probe) -> Finding:
    """Idle, it picks as round-robin does; but it leaves out who has open requests while another has none."""
    in_turn = _is_in_turn(probe)
    bound = bounds(probe)[probe.paused]
    kept = abs(deviation(probe, probe.of(Phase.SLOWED))) <= bound * probe.of(Phase.SLOWED)[Column.PID].nunique()
    against = picks_although_another_was_idle(probe)
    evidence = f"{_taken(probe)}, {against} of them while it had open requests and another had none"
    if not in_turn:
        evidence = f"idle, it would take turns as round-robin does, which it does not; {evidence}"
    return Finding(Algorithm.LEAST_CONNECTIONS, not in_turn or (kept and against > 0), evidence)


def random(probe: Probe) -> Finding:
    """Every pick independent of those before, with the weights as probabilities."""
    chance = chance_of_runs(probe)
    if chance < TOO_UNLIKELY:
        evidence = f"independent picks would be in turn for as long with a chance of {_small(chance)} at most"
        return Finding(Algorithm.RANDOM, is_excluded=True, evidence=evidence)
    picks = probe.picks
    chance = chance_of_counts(probe, picks)
    repeats = sum(one == other for one, other in pairwise(picks))
    expected = sum(step**2 for step in probe.cycle.values()) / probe.length**2
    counted = ":".join(str(picks.count(tag)) for tag in probe.weights)
    evidence = (
        f"independent picks would be {counted} or further from the weights with a chance of {_small(chance)}; "
        f"{repeats} of {len(picks) - 1} repeat the one before, {expected * (len(picks) - 1):.0f} are to be expected"
    )
    return Finding(Algorithm.RANDOM, chance < UNLIKELY, evidence)


def address_hash(probe: Probe) -> Finding:
    """The client's address alone decides: one address, one backend."""
    rows = probe.rows[probe.rows[Column.PHASE].isin([Phase.SEQUENTIAL, Phase.ADDRESSES])]
    most = int(rows.groupby(Column.SOURCE)[Column.HOST_TAG].nunique().max())
    if most > 1:
        return Finding(Algorithm.ADDRESS_HASH, is_excluded=True, evidence=f"one address reached {most} backends")
    reached, addresses = rows[Column.HOST_TAG].nunique(), rows[Column.SOURCE].nunique()
    evidence = f"addresses that reached one backend each: {addresses}; backends that they reached: {reached}"
    return Finding(Algorithm.ADDRESS_HASH, is_excluded=False, evidence=evidence, is_certain=reached > 1)


def bounds(probe: Probe) -> dict[str, Fraction]:
    """How far a backend's count can be from its share in any run of consecutive picks of round-robin, in requests."""
    return dict(zip(probe.weights, window_bounds(list(probe.weights.values())), strict=True))


def deviation(probe: Probe, rows: pd.DataFrame) -> Fraction:
    """By how many requests the paused backend got more than its share of these rows."""
    return int((rows[Column.HOST_TAG] == probe.paused).sum()) - share_of_paused(probe, rows)


def share_of_paused(probe: Probe, rows: pd.DataFrame) -> Fraction:
    """How many of these requests the weights give to the paused backend."""
    return Fraction(len(rows) * probe.cycle[probe.paused], probe.length)


def picks_although_another_was_idle(probe: Probe) -> int:
    """How often the paused backend was picked by a worker from which it had open requests, and another had none.

    Least connections never does that, with one state or with one per worker. The client's times show which
    backend has open requests. They begin before the balancer's, so no busy backend looks idle.
    """
    slowed = probe.of(Phase.SLOWED)
    slowed = slowed.assign(**{Column.END_US: slowed[Column.SENT_US] + slowed[Column.LATENCY_US]})
    return sum(_was_wrong(probe, slowed, row.sent_us, row.pid) for row in _paused_rows(probe, slowed))


def _paused_rows(probe: Probe, slowed: pd.DataFrame) -> Iterator[pd.Series]:
    yield from (row for _, row in slowed.iterrows() if row[Column.HOST_TAG] == probe.paused)


def _was_wrong(probe: Probe, slowed: pd.DataFrame, at_us: int, pid: int) -> bool:
    open_then = slowed[(slowed[Column.SENT_US] < at_us) & (at_us < slowed[Column.END_US])]
    held = ((open_then[Column.HOST_TAG] == probe.paused) & (open_then[Column.PID] == pid)).any()
    busy = set(open_then[Column.HOST_TAG])
    return bool(held) and any(tag not in busy for tag in probe.weights)


def _is_in_turn(probe: Probe) -> bool:
    """Whether the sequential picks are those of round-robin, with one state or with one per worker."""
    return any(not windows_of(probe, sequences)[1] for sequences in ([probe.picks], probe.picks_of_workers))


def _exactly(probe: Probe, windows: int, inexact: int) -> str:
    weights = ":".join(map(str, probe.cycle.values()))
    if inexact:
        return f"{inexact} of {windows} windows of {_many(probe.length, 'request')} do not hold {weights}"
    return f"all {windows} windows of {_many(probe.length, 'request')} hold exactly {weights}"


def _taken(probe: Probe) -> str:
    slowed = probe.of(Phase.SLOWED)
    taken, share = int((slowed[Column.HOST_TAG] == probe.paused).sum()), float(share_of_paused(probe, slowed))
    return f"paused, {probe.paused} took {taken} of {len(slowed)}, and its share is {share:g}"


def _small(chance: float) -> str:
    return f"{chance:.2g}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun if count == 1 else noun + 's'}"
