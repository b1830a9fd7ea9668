"""How even the split among the survivors is while other backends are out, exactly: `max_fails=1`, any fail_timeout.

Without the others the survivors share by their weights, but not from a fresh start, and not undisturbed: once in a
fail_timeout nginx asks a backend that is out with one live request, a probe. Until that probe is picked the backend
takes part in the picks, with an effective weight that starts at zero, and the survivors' own cycle is disturbed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import islice
from typing import NamedTuple

from scenarios.round_robin_states import State, pick, raised, reachable_states


class _Fault(NamedTuple):
    """What nginx knows between two picks: both weights of all, and who of those that are out may be asked again."""

    current: State
    effective: tuple[int, ...]
    eligible: tuple[int, ...]


class _Move(NamedTuple):
    after: _Fault
    picked: int | None = None  # a survivor, or none
    probes: int = 0


_Moves = dict[_Fault, list[_Move]]
_Furthest = dict[_Fault, int]


def survivor_bounds(
    weights: Sequence[int], out: Collection[int], probes: int = 0, *, hanging: bool = True
) -> dict[int, Fraction]:
    """How far a survivor's count in any run of consecutive picks of survivors can be from its share, in requests.

    The share is weight / sum of the survivors' weights. The run may begin as soon as the failures that put `out` out
    are counted, whatever happened before; until its end a backend that is out became eligible again at most `probes`
    times, and never answered. By exhaustive search: the longest path through the states of the balancer, where a pick
    of survivor i counts W - w_i for it, and every other pick of a survivor -w_i, in units of 1/W requests.

    A request that is `hanging` at a backend for longer than fail_timeout may fail while that backend is asked again, or
    let the next probe begin where it stopped; refused connections do neither, and then the bound is smaller.
    """
    return dict(_survivor_bounds(tuple(weights), tuple(sorted(out)), probes, hanging=hanging))


def picks_until_asked(weights: Sequence[int], out: int) -> int:
    """How many picks it takes at most, its own included, until one that is eligible again is asked: the others healthy.

    The time until then is the rest of fail_timeout and so many requests.
    """
    begins = _moves(tuple(weights), (out,), hanging=True)
    return max(_picks_until_asked(begin, weights, out) for begin in begins)


def _picks_until_asked(fault: _Fault, weights: Sequence[int], out: int) -> int:
    picks = 0
    while out in fault.eligible:
        fault, picks = _next_pick(fault, weights, (out,)).after, picks + 1
    return picks


@cache
def _survivor_bounds(
    weights: tuple[int, ...], out: tuple[int, ...], probes: int, *, hanging: bool
) -> dict[int, Fraction]:
    survivors = [index for index in range(len(weights)) if index not in out]
    if len(survivors) == 1:
        return {survivors[0]: Fraction(0)}
    moves = _moves(weights, out, hanging=hanging)
    total = sum(weights[index] for index in survivors)
    bounds = {}
    for survivor in survivors:
        counts: dict[int | None, int] = dict.fromkeys(survivors, -weights[survivor])
        counts |= {survivor: total - weights[survivor], None: 0}
        up = _furthest_after(moves, counts)
        down = _furthest_after(moves, {picked: -count for picked, count in counts.items()})
        furthest = max(max(after.values()) for way in (up, down) for after in islice(way, probes + 1))
        bounds[survivor] = Fraction(furthest, total)
    return bounds


@cache
def _moves(weights: tuple[int, ...], out: tuple[int, ...], *, hanging: bool) -> _Moves:
    """Every state while these are out, and what can come next."""
    failed = tuple(0 if index in out else weight for index, weight in enumerate(weights))
    todo = [_Fault(current, failed, ()) for current in reachable_states(weights)]
    moves: _Moves = {}
    while todo:
        fault = todo.pop()
        if fault not in moves:
            moves[fault] = [_next_pick(fault, weights, out), *_changes(fault, out, hanging=hanging)]
            todo += [move.after for move in moves[fault]]
    return moves


def _next_pick(fault: _Fault, weights: Sequence[int], out: Collection[int]) -> _Move:
    """Survivors and eligible ones take part; one that is out is left out again while the answer to it is awaited."""
    taking_part = [index for index in range(len(weights)) if index not in out or index in fault.eligible]
    picked, current = pick(fault.current, fault.effective, taking_part)
    after = _Fault(current, raised(fault.effective, weights, taking_part), _without(fault.eligible, picked))
    return _Move(after, None if picked in out else picked)


def _changes(fault: _Fault, out: Collection[int], *, hanging: bool) -> Iterator[_Move]:
    """What happens to a backend that is out: an attempt fails, or its fail_timeout passes."""
    for index in out:
        failed = fault._replace(effective=_at(fault.effective, index, 0), eligible=_without(fault.eligible, index))
        asked = index not in fault.eligible and fault.effective[index] > 0
        if asked or (hanging and index in fault.eligible):
            yield _Move(failed)
        if index not in fault.eligible and (hanging or not asked):
            yield _Move(fault._replace(eligible=tuple(sorted((*fault.eligible, index)))), probes=1)


def _furthest_after(moves: _Moves, counts: Mapping[int | None, int]) -> Iterator[_Furthest]:
    """By state, the furthest that a run that ends there is off, by what a pick counts: after 0, 1, 2 … probes."""
    furthest: _Furthest = {}
    probes = 0
    while True:
        begun = {fault: 0 for fault in moves if len(fault.eligible) <= probes} | furthest
        for fault, value in furthest.items():
            for move in moves[fault]:
                if move.probes:
                    begun[move.after] = max(begun.get(move.after, value), value)
        furthest = _spread(begun, moves, counts)
        yield furthest
        probes += 1


def _spread(begun: _Furthest, moves: _Moves, counts: Mapping[int | None, int]) -> _Furthest:
    """The same without a further probe. It ends: no cycle of states that needs no probe gains anything."""
    furthest = dict(begun)
    todo = list(begun)
    while todo:
        fault = todo.pop()
        for move in moves[fault]:
            value = furthest[fault] + counts[move.picked]
            if not move.probes and value > furthest.get(move.after, value - 1):
                furthest[move.after] = value
                todo.append(move.after)
    return furthest


def _without(indices: tuple[int, ...], index: int) -> tuple[int, ...]:
    return tuple(each for each in indices if each != index)


def _at(values: tuple[int, ...], index: int, value: int) -> tuple[int, ...]:
    return (*values[:index], value, *values[index + 1 :])
