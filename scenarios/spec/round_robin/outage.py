"""How even the split among the remaining backends is while others are out: `max_fails=1`, any fail_timeout.

The remaining backends share by their weights, but not from a fresh start, and not undisturbed: once in a fail_timeout
nginx asks a backend that is out with one live request, a probe. Until that probe is picked the backend takes part in
the picks, with an effective weight that starts at zero, and disturbs the cycle of the remaining ones.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import accumulate, count, islice, takewhile
from typing import NamedTuple

from scenarios.spec.round_robin.currents import spread
from scenarios.spec.round_robin.states import State, are_searchable, pick, raised, reachable_states


class _Fault(NamedTuple):
    """What nginx knows between two picks: both weights of all, and the backends that are out and may be asked again."""

    current: State
    effective: tuple[int, ...]
    eligible: tuple[int, ...]


class _Move(NamedTuple):
    after: _Fault
    picked: int | None = None  # a remaining backend, or none
    probes: int = 0


_Moves = dict[_Fault, list[_Move]]
_Furthest = dict[_Fault, int]


def survivor_bounds(
    weights: Sequence[int], out: Collection[int], probes: int = 0, *, hanging: bool = True
) -> dict[int, Fraction]:
    """How far a remaining backend's count in any run of consecutive picks of such can be from its share, in requests.

    The share is weight / sum of the remaining weights. The run may begin as soon as the failures that put `out` out
    are counted, whatever happened before; until its end a backend that is out became eligible again at most `probes`
    times, and never answered. For small weights it is the exact maximum, for others an upper bound of it. For 1:2:3
    that would be twice as much without probes at most, and four times as much with ten. Raises `TooManyStates`.

    A request that is `hanging` at a backend for longer than fail_timeout may fail while that backend is asked again, or
    let the next probe begin where it stopped; refused connections do neither, and then the exact bound is smaller.
    """
    if len(weights) - len(out) == 1:
        return {index: Fraction(0) for index in range(len(weights)) if index not in out}
    if not are_searchable(weights):
        return upper_bounds(weights, out, probes)
    return dict(_exact_bounds(tuple(weights), tuple(sorted(out)), probes, hanging=hanging))


def upper_bounds(weights: Sequence[int], out: Collection[int], probes: int) -> dict[int, Fraction]:
    """The same for weights of any size, from how far current weights can be apart. Raises `TooManyStates`.

    Let the remaining weights add up to W. In n picks of remaining backends and q of those that are out, backend i gains
    w_i (n + q). Each time that it is picked, it pays W and what those that are out gained then. Over W, its count is
    therefore above its share by what its current weight fell, and w_i q, at most. It is below its share by what its
    current weight rose, less w_i q, and by what those that are out gained at picks of remaining backends, at most: that
    is what their own current weights rose, and W q.
    """
    total = sum(weight for index, weight in enumerate(weights) if index not in out)
    bounds = {}
    for index, weight in enumerate(weights):
        if index not in out:
            more = spread(weights, [index]) + probes * weight
            fewer = spread(weights, [*out, index]) + probes * (total - weight)
            bounds[index] = Fraction(max(more, fewer), total)
    return bounds


def picks_until_asked(weights: Sequence[int], out: int) -> int:
    """How many picks it takes at most, its own included, until one that is eligible again is asked: the others healthy.

    The time until then is the rest of fail_timeout and so many requests. For large weights it is an upper bound:
    until it is picked a backend gains 0, 1, 2 … up to its weight, and not more than its current weight can rise.
    Raises `TooManyStates`.
    """
    if not are_searchable(weights):
        gains = accumulate(min(picks, weights[out]) for picks in count())
        most = spread(weights, [out])
        return 1 + sum(1 for _ in takewhile(lambda gained: gained <= most, gains))
    begins = _moves(tuple(weights), (out,), hanging=True)
    return max(_picks_until_asked(begin, weights, out) for begin in begins)


def _picks_until_asked(fault: _Fault, weights: Sequence[int], out: int) -> int:
    picks = 0
    while out in fault.eligible:
        fault, picks = _next_pick(fault, weights, (out,)).after, picks + 1
    return picks


@cache
def _exact_bounds(weights: tuple[int, ...], out: tuple[int, ...], probes: int, *, hanging: bool) -> dict[int, Fraction]:
    """By exhaustive search: the longest path through the states of the balancer.

    A pick of the remaining backend i counts W - w_i for it, every other pick of one -w_i, in units of 1/W requests.
    """
    moves = _moves(weights, out, hanging=hanging)
    remaining = [index for index in range(len(weights)) if index not in out]
    total = sum(weights[index] for index in remaining)
    bounds = {}
    for index in remaining:
        counts: dict[int | None, int] = dict.fromkeys(remaining, -weights[index])
        counts |= {index: total - weights[index], None: 0}
        up = _furthest_after(moves, counts)
        down = _furthest_after(moves, {picked: -count for picked, count in counts.items()})
        furthest = max(max(after.values()) for way in (up, down) for after in islice(way, probes + 1))
        bounds[index] = Fraction(furthest, total)
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
    """Remaining and eligible backends take part; once asked, one is left out again while its answer is awaited."""
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
