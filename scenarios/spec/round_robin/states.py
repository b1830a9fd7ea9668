"""What state smooth weighted round-robin can be in when backends fail, are left out, and return.

nginx (`ngx_http_upstream_round_robin.c`) keeps two numbers per backend in shared memory: `current_weight`, 0 at the
start, and `effective_weight`, its weight at the start. A pick looks at the backends that take part in it; the others
(out after a failure, or tried before by the same request) keep both numbers as they are. A failure of a backend with
`max_fails=1` sets its effective weight to zero, and every pick that it takes part in raises it by one again.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import product
from math import prod

State = tuple[int, ...]  # the current weight of every backend, between two picks; they sum up to zero

# Searches of more steps take longer than a second or two in all. The weights 1:2:3 take 13 000.
MOST_STEPS = 400_000


def are_searchable(weights: Sequence[int]) -> bool:
    """Whether searches through all states are short: about as many states as a cycle has, times ways to go on."""
    total = sum(weights)
    return prod(total * (weight + 2) for weight in weights) <= MOST_STEPS


def pick(current: State, effective: Sequence[int], taking_part: Iterable[int]) -> tuple[int, State]:
    """The backend that is picked of those that take part, at least one, and the current weights after it.

    Each of them gains its effective weight; the winner, the first of the largest, pays for all.
    """
    after, total, best = list(current), 0, -1
    for index in taking_part:
        after[index] += effective[index]
        total += effective[index]
        if best < 0 or after[index] > after[best]:
            best = index
    after[best] -= total
    return best, tuple(after)


def raised(effective: Sequence[int], weights: Sequence[int], taking_part: Iterable[int]) -> tuple[int, ...]:
    """The effective weights after a pick: one more for each that took part, up to its weight."""
    after = list(effective)
    for index in taking_part:
        after[index] = min(after[index] + 1, weights[index])
    return tuple(after)


def reachable_states(weights: Sequence[int]) -> frozenset[State]:
    """Every state in which failures and returns, in whatever order and number, can leave the balancer.

    Any backends may take part in a pick, each with any effective weight up to its weight: whatever faults do, this is
    all that a pick sees of it. The tests show on small weights that nothing more is found here than faults can do, even
    with every backend healthy again, so that a bound over these states is not too wide.
    """
    return _reachable_states(tuple(weights))


@cache
def _reachable_states(weights: tuple[int, ...]) -> frozenset[State]:
    fresh: State = (0,) * len(weights)
    seen, todo, ways = {fresh}, [fresh], list(_ways(weights))
    while todo:
        state = todo.pop()
        for effective, taking_part in ways:
            _, after = pick(state, effective, taking_part)
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return frozenset(seen)


def _ways(weights: Sequence[int]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The ways in which backends can take part in a pick: the effective weights, and the indices of those that do.

    To take part with nothing differs from not taking part: the backend with the largest current weight may win even so.
    """
    absent = -1
    for each in product(*(range(absent, weight + 1) for weight in weights)):
        taking_part = tuple(index for index, effective in enumerate(each) if effective != absent)
        if taking_part:
            yield each, taking_part
