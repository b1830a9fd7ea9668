"""How far current weights can be apart under faults, without a search: a bound for weights of any size.

A pick lets any of the backends take part, each with any effective weight up to its weight w. Let B(G) be a number for
every group G of backends, zero for none and for all of them, such that for each a in G and each j outside G

    2 B(G) >= B(G and j) + w_j + B(G without a) + w_a                                                     (1)

Then the current weights of G never add up to more than B(G). It is so at the start, and a pick in G does not raise the
sum. For a pick of j outside G, let A be the m backends of G that take part, and s the sum of G after the pick. Before
j pays, G and j have B(G and j) + w(A) + w_j together at most. Of those that take part j has the most, so s and the
current weight of any a in A are no more than that either. The rest of G stands still, at B(G without A) at most. These
m + 1 add up to

    (m + 1) s <= m (B(G and j) + w(A) + w_j) + B(G without A) <= (m + 1) B(G)                             (2)

The right side of (2) is (1) where m = 1. For a larger m take any b in A: (2) for G without b, with the rest of A, and
with b in place of j, and then (1) with b in place of a give (2) with w_b in place of the mean of A's weights. The mean
of that over all b in A is (2).

Where (1) holds for some weights, it holds for their multiples with the same multiple of B. But for rounding, a bound in
requests depends on the proportions alone. An exact one does not: nginx raises an effective weight by 1 per pick, so
that 10:20:30 has states after a fault that 1:2:3 has not.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import product

# Raising B takes a time that grows with this measure: about a second at this value.
MOST_STEPS = 4_000_000

_Group = tuple[int, ...]  # how many backends of each different weight: only that matters


class TooManyStates(ValueError):
    """The backends are too many, or have too many different weights, for a bound under faults."""


def spread(weights: Sequence[int], group: Iterable[int]) -> int:
    """How much the sum of a group's current weights can differ between two moments, at most, whatever faults do.

    `group` has the indices of its backends. The lowest sum of a group is the highest of all others, negated. For 1:2:3
    the result is 10, and exact would be 7 or 8. Raises `TooManyStates`.
    """
    chosen = set(group)
    highest = _highest_sums(tuple(weights))
    inside = [weight for index, weight in enumerate(weights) if index in chosen]
    outside = [weight for index, weight in enumerate(weights) if index not in chosen]
    kinds = sorted(set(weights))
    return sum(highest[tuple(map(part.count, kinds))] for part in (inside, outside))


@cache
def _highest_sums(weights: tuple[int, ...]) -> dict[_Group, int]:
    """The smallest whole numbers B, raised from zero until (1) holds.

    That ends: the number of backends in a group, times that of the others, times the largest weight satisfies (1).
    """
    kinds = sorted(set(weights))
    groups = list(product(*(range(weights.count(kind) + 1) for kind in kinds)))
    if len(groups) * len(kinds) * len(weights) ** 2 > MOST_STEPS:
        raise TooManyStates(
            f"the {len(weights)} weights {':'.join(map(str, weights))} are too many for a bound after a fault"
        )
    highest = dict.fromkeys(groups, 0)
    others = {
        group: (list(_others(group, 1, weights, kinds)), list(_others(group, -1, weights, kinds)))
        for group in groups[1:-1]
    }
    before: dict[_Group, int] = {}
    while highest != before:
        before = dict(highest)
        for group, ways in others.items():
            twice = sum(max(highest[other] + weight for other, weight in way) for way in ways)
            highest[group] = (twice + 1) // 2
    return highest


def _others(group: _Group, by: int, weights: Sequence[int], kinds: Sequence[int]) -> Iterator[tuple[_Group, int]]:
    """The groups with one backend more, or one less, and the weight of that backend."""
    for place, kind in enumerate(kinds):
        count = group[place] + by
        if 0 <= count <= weights.count(kind):
            yield (*group[:place], count, *group[place + 1 :]), kind
