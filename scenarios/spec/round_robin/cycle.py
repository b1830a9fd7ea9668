"""The arithmetic of smooth weighted round-robin, the algorithm of nginx's `ngx_http_upstream_round_robin.c`.

Every pick adds each backend's weight to its current value, takes the backend with the largest, and subtracts the sum of
the weights from it. While all backends are healthy the picks are therefore a fixed cycle of W picks, W being the sum of
the weights over their greatest common divisor, and a backend's count can be bounded exactly.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import gcd


def cycle(weights: Sequence[int]) -> list[int]:
    """The indices that one cycle picks, from a fresh start; each index comes as often as its reduced weight."""
    divisor = gcd(*weights)
    steps = [weight // divisor for weight in weights]
    total = sum(steps)
    current = [0] * len(steps)
    picks = []
    for _ in range(total):
        current = [value + step for value, step in zip(current, steps, strict=True)]
        pick = current.index(max(current))
        current[pick] -= total
        picks.append(pick)
    return picks


def window_bounds(weights: Sequence[int]) -> list[Fraction]:
    """How far a backend's count in any run of consecutive picks can be from its share of them, in requests.

    One bound per backend. It holds wherever in the cycle the picks begin: for a window from a to b the deviation is
    d(b) - d(a), with d(k) the deviation of the first k picks, so the bound is the spread of d over one cycle.
    """
    return list(_window_bounds(tuple(weights)))


@cache
def _window_bounds(weights: tuple[int, ...]) -> tuple[Fraction, ...]:
    total = sum(weights)
    shares = [Fraction(weight, total) for weight in weights]
    deviation = [Fraction(0)] * len(weights)
    highest = list(deviation)
    lowest = list(deviation)
    for pick in cycle(weights):
        deviation = [value - share for value, share in zip(deviation, shares, strict=True)]
        deviation[pick] += 1
        highest = [max(pair) for pair in zip(highest, deviation, strict=True)]
        lowest = [min(pair) for pair in zip(lowest, deviation, strict=True)]
    return tuple(high - low for high, low in zip(highest, lowest, strict=True))
