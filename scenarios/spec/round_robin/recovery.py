"""How even the split is once every backend answers again, and after a reload.

The current weights of a backend that was out stood still, and its effective weight rises from near zero: the picks are
not at once the cycle of a fresh start. They become a cycle of as many picks again, in an order that may be another one.
Small weights are searched through, for the exact bounds; of others there are upper bounds of them.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from itertools import accumulate, product
from math import gcd
from typing import NamedTuple

from scenarios.spec.round_robin.currents import spread
from scenarios.spec.round_robin.cycle import cycle, window_bounds
from scenarios.spec.round_robin.states import State, are_searchable, pick, raised, reachable_states

_Counts = tuple[tuple[int, ...], tuple[int, ...]]  # by backend, the lowest and the highest


class _Healthy(NamedTuple):
    """All backends take part in every pick; effective weights may still be rising."""

    current: State
    effective: tuple[int, ...]


def settling_picks(weights: Sequence[int]) -> int:
    """How many picks after a return it takes at most until `healed_bounds` hold.

    The return is counted, and all take part, once the first answer of the last backend that was out has come. With
    small weights the picks are then a cycle again; with others every effective weight, one at least at the return, is
    at its weight again.
    """
    return _settling_picks(tuple(weights)) if are_searchable(weights) else max(weights) - 1


def healed_bounds(weights: Sequence[int], picks: int) -> list[Fraction]:
    """How far a backend's count in `picks` consecutive picks can be from its share of them, once they are settled.

    In requests, and over all cycles that faults can lead to. With small weights it is exact, and zero for a whole
    number of cycles. With others it is an upper bound, the same for any number of picks, up to twice the largest exact
    one (1:2:3 would have 5/3). Raises `TooManyStates`.
    """
    if not are_searchable(weights):
        return upper_bounds(weights)
    period = _period(weights)
    return list(_furthest(tuple(weights), _settled(tuple(weights)), period)[picks % period])


def upper_bounds(weights: Sequence[int]) -> list[Fraction]:
    """The same for weights of any size, and any number of picks. Raises `TooManyStates`.

    With W the sum of the weights, backend i gains n w_i in n picks, and pays W for each of its own: its count is off
    by the change of its current weight over W.
    """
    return [Fraction(spread(weights, [index]), sum(weights)) for index in range(len(weights))]


def returned_bounds(weights: Sequence[int], picks: int) -> list[Fraction]:
    """The same for picks that begin at any time after the return, settled or not. Raises `TooManyStates`."""
    if not are_searchable(weights):
        return rising_bounds(weights)
    period, settling = _period(weights), settling_picks(weights)
    rest = max(0, picks - settling) // period * period  # whole cycles at the end change nothing
    return list(_furthest(tuple(weights), _returned(tuple(weights)), settling + period)[picks - rest])


def rising_bounds(weights: Sequence[int]) -> list[Fraction]:
    """The same as `upper_bounds`, settled or not: within one pick of the largest exact bounds of 1:2:3.

    An effective weight that rises from one lacks w - 1, w - 2, … at the picks after the return, w (w - 1) / 2 in all. A
    backend gains less by what it lacks itself, and pays less by what all lack: its own part is less than its gain's.
    """
    lacking = [weight * (weight - 1) // 2 for weight in weights]
    return [
        upper + Fraction(max(own, sum(lacking) - own), sum(weights))
        for upper, own in zip(upper_bounds(weights), lacking, strict=True)
    ]


def reloaded_bounds(weights: Sequence[int], reloads: int) -> list[Fraction]:
    """How far a count in consecutive picks can be from its share, with so many reloads among them and no fault.

    A reload makes the shared memory anew (`noreuse`): the new workers begin at a fresh start, while the old ones pick
    from the old memory until they end. The picks are therefore part of a cycle that begins anywhere, and for every
    reload part of another that begins at its start; however the parts are mixed, their deviations add up.
    """
    total, picked = sum(weights), cycle(weights)
    bounds = []
    for index, window in enumerate(window_bounds(weights)):
        share = Fraction(weights[index], total)
        fresh = max(abs(value) for value in accumulate((pick == index) - share for pick in picked))
        bounds.append(window + reloads * fresh)
    return bounds


@cache
def _settling_picks(weights: tuple[int, ...]) -> int:
    returned, steps = _returned(weights), 0
    settled = frozenset(_next(state, weights)[1] for state in returned)
    while settled != returned:
        returned, steps = settled, steps + 1
        settled = frozenset(_next(state, weights)[1] for state in returned)
    return steps


@cache
def _returned(weights: tuple[int, ...]) -> frozenset[_Healthy]:
    """The first pick of a backend after its failure has raised its effective weight to one at least."""
    rising = list(product(*(range(1, weight + 1) for weight in weights)))
    return frozenset(_Healthy(current, effective) for current in reachable_states(weights) for effective in rising)


@cache
def _settled(weights: tuple[int, ...]) -> frozenset[_Healthy]:
    """The states that come again and again."""
    states = frozenset(_Healthy(current, weights) for current in reachable_states(weights))
    while (after := frozenset(_next(state, weights)[1] for state in states)) != states:
        states = after
    return states


def _next(state: _Healthy, weights: Sequence[int]) -> tuple[int, _Healthy]:
    everyone = range(len(weights))
    picked, current = pick(state.current, state.effective, everyone)
    return picked, _Healthy(current, raised(state.effective, weights, everyone))


@cache
def _furthest(weights: tuple[int, ...], states: frozenset[_Healthy], longest: int) -> tuple[tuple[Fraction, ...], ...]:
    """How far off each backend can be after 0, 1, 2 … picks that begin in one of these states.

    Of the runs that end in the same state only the lowest and the highest counts matter, for they go on alike.
    """
    none = (0,) * len(weights)
    runs = dict.fromkeys(states, (none, none))
    furthest = [_off(runs.values(), 0, weights)]
    for picks in range(1, longest + 1):
        longer: dict[_Healthy, _Counts] = {}
        for state, (lowest, highest) in runs.items():
            picked, after = _next(state, weights)
            low, high = _one_more(lowest, picked), _one_more(highest, picked)
            lower, higher = longer.get(after, (low, high))
            longer[after] = tuple(map(min, low, lower)), tuple(map(max, high, higher))
        runs = longer
        furthest.append(_off(runs.values(), picks, weights))
    return tuple(furthest)


def _off(counts: Iterable[_Counts], picks: int, weights: Sequence[int]) -> tuple[Fraction, ...]:
    lowest, highest = (list(zip(*each, strict=True)) for each in zip(*counts, strict=True))
    shares = [Fraction(picks * weight, sum(weights)) for weight in weights]
    return tuple(
        max(share - min(low), max(high) - share) for share, low, high in zip(shares, lowest, highest, strict=True)
    )


def _one_more(counts: tuple[int, ...], picked: int) -> tuple[int, ...]:
    return (*counts[:picked], counts[picked] + 1, *counts[picked + 1 :])


def _period(weights: Sequence[int]) -> int:
    return sum(weights) // gcd(*weights)
