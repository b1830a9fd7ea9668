"""The bounds for weights of any size: never passed by the simulated nginx, and not much wider than the exact ones."""

import random
import time
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.spec.round_robin.currents import TooManyStates, spread
from scenarios.spec.round_robin.cycle import cycle, window_bounds
from scenarios.spec.round_robin.outage import picks_until_asked, survivor_bounds, upper_bounds
from scenarios.spec.round_robin.recovery import (
    healed_bounds,
    reloaded_bounds,
    returned_bounds,
    rising_bounds,
    settling_picks,
)
from scenarios.spec.round_robin.states import are_searchable, reachable_states
from tests.builders.nginx_round_robin import Life, Nginx, deviations

SMALL = [(1, 1), (3, 1), (1, 1, 1), (1, 2, 2), (2, 1, 2), (1, 2, 3), (5, 1, 1), (1, 1, 1, 1)]
OUTAGES = [(weights, out) for weights in SMALL for out in range(len(weights)) if len(weights) > 2]
LARGE = [
    (10, 20, 30),
    (1, 2, 3, 4),
    (1, 996),
    (333, 333, 334),
    (991, *[1] * 9),
    (100,) * 10,
    tuple(range(95, 105)),
    (1, 2, 4, 8, 16, 32, 64, 128, 256, 489),
]
seeds = st.integers(0, 2**32)


def up_to_a_thousand(parts):
    return tuple(1 + part * (1000 - len(parts)) // sum(parts) for part in parts)


large = st.lists(st.integers(1, 1000), min_size=2, max_size=10).map(up_to_a_thousand) | st.sampled_from(LARGE)


def groups(count):
    return (group for size in range(1, count) for group in combinations(range(count), size))


def a_life(weights, seed, *, hanging=True):
    """With faults behind it. A backend of little weight is asked late: so long must the others stay out."""
    life = Life(weights, seed, hanging=hanging, waits=min(1, 12 / sum(weights)))
    for _ in range(3):
        life.dead = set(life.chance.sample(range(len(weights)), life.chance.randrange(len(weights))))
        life.lead(life.chance.randrange(200))
    return life


def swing(picks, index, weights):
    """The furthest that a backend's count in any run of these picks is off its share, in requests."""
    total, off, all_off = sum(weights), 0, [0]
    for pick in picks:
        off += total * (pick == index) - weights[index]
        all_off.append(off)
    return Fraction(max(all_off) - min(all_off), total)


@pytest.mark.parametrize("weights", SMALL, ids=str)
def test_current_weights_of_small_weights_are_apart_by_the_bound_or_a_little_less(weights):
    for group in groups(len(weights)):
        sums = [sum(state[index] for index in group) for state in reachable_states(weights)]
        assert max(sums) - min(sums) <= spread(weights, group) <= max(sums) - min(sums) + len(weights)


@settings(max_examples=20, deadline=None)
@given(large, seeds)
def test_current_weights_of_large_weights_are_never_further_apart_than_the_bound(weights, seed):
    nginx, chance, places = Nginx(weights), random.Random(seed), range(len(weights))
    watched = [chance.sample(places, chance.randrange(1, len(weights))) for _ in range(8)]
    sums = [[0] for _ in watched]
    for _ in range(1000):
        if chance.random() < 0.3:
            nginx.free(chance.randrange(len(weights)), failed=chance.random() < 0.5)
        nginx.get(chance.sample(places, chance.randrange(len(weights))))
        nginx.now += chance.choice((0, 0, 1))
        for group, seen in zip(watched, sums, strict=True):
            seen.append(sum(nginx.peers[index].current for index in group))
    for group, seen in zip(watched, sums, strict=True):
        assert max(seen) - min(seen) <= spread(weights, group)


@pytest.mark.parametrize(("probes", "factor"), [(0, 2), (10, 5)])
@pytest.mark.parametrize(("weights", "out"), OUTAGES, ids=str)
def test_upper_bound_during_an_outage_is_a_few_times_the_exact_one_at_most(weights, out, probes, factor):
    upper = upper_bounds(weights, [out], probes)
    for index, exact in survivor_bounds(weights, [out], probes).items():
        assert exact <= upper[index] <= factor * exact


@settings(max_examples=20, deadline=None)
@given(large, seeds, st.booleans(), st.data())
def test_no_life_with_large_weights_passes_the_bound_during_an_outage(weights, seed, hanging, data):
    life = a_life(weights, seed, hanging=hanging)
    out = data.draw(st.sets(st.sampled_from(range(len(weights))), min_size=1, max_size=len(weights) - 1))
    life.kill(out)
    life.lead(200)
    remaining = {index: weight for index, weight in enumerate(weights) if index not in out}
    for probes in range(3):
        bounds = survivor_bounds(weights, out, probes, hanging=hanging)
        for index, off in deviations(life.picks, remaining, probes).items():
            assert off <= bounds[index]


@settings(max_examples=20, deadline=None)
@given(large, seeds, st.data())
def test_backend_with_a_large_weight_is_asked_after_so_many_picks_at_most(weights, seed, data):
    life, out = a_life(weights, seed), data.draw(st.sampled_from(range(len(weights))))
    life.kill([out])
    life.nginx.now += 10
    picks = 1
    while life.nginx.get(()) != out:
        picks += 1
    assert picks <= picks_until_asked(weights, out)


@pytest.mark.parametrize("weights", SMALL, ids=str)
def test_upper_bounds_after_a_return_are_at_most_twice_the_exact_ones_and_less_than_one_pick_above(weights):
    period = len(cycle(weights))
    lengths = range(settling_picks(weights) + 2 * period)
    healed = map(max, zip(*(healed_bounds(weights, picks) for picks in lengths), strict=True))
    returned = map(max, zip(*(returned_bounds(weights, picks) for picks in lengths), strict=True))
    upper = [Fraction(spread(weights, [index]), sum(weights)) for index in range(len(weights))]
    assert all(exact <= bound <= 2 * exact for exact, bound in zip(healed, upper, strict=True))
    assert all(exact <= bound < exact + 1 for exact, bound in zip(returned, rising_bounds(weights), strict=True))


@settings(max_examples=20, deadline=None)
@given(large, seeds)
def test_no_return_with_large_weights_passes_the_bounds(weights, seed):
    life = a_life(weights, seed)
    life.heal()
    picks = [life.nginx.get(()) for _ in range(3000)]
    settled = picks[settling_picks(weights) :]
    for index, (returned, healed) in enumerate(zip(rising_bounds(weights), healed_bounds(weights, 1), strict=True)):
        assert swing(picks, index, weights) <= returned
        assert are_searchable(weights) or swing(settled, index, weights) <= healed


def test_backends_that_rise_together_from_one_come_close_to_the_bound_of_a_return():
    weights = (500, 500)
    nginx = Nginx(weights)
    nginx.peers[0].effective = 1
    picks = [nginx.get(()) for _ in range(1000)]
    assert rising_bounds(weights)[0] / 2 < swing(picks, 0, weights) <= rising_bounds(weights)[0]


@pytest.mark.parametrize("weights", [*LARGE, (997,), tuple(range(1, 11)), (400, 600)], ids=str)
def test_every_bound_takes_two_seconds_of_a_core_at_most(weights):
    begin = time.process_time()
    window_bounds(weights)
    reloaded_bounds(weights, 3)
    healed_bounds(weights, 17)
    returned_bounds(weights, 17)
    settling_picks(weights)
    if len(weights) > 1:
        survivor_bounds(weights, [0], 20)
        picks_until_asked(weights, 0)
    assert time.process_time() - begin < 2


def test_too_many_backends_are_refused_with_a_sentence():
    with pytest.raises(TooManyStates, match=r"the 14 weights 1:2:.*:14 are too many for a bound after a fault"):
        survivor_bounds(range(1, 15), [0])
