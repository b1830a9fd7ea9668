"""The bounds after a return and a reload against nginx's algorithm, written again line by line: held, and reached."""

from fractions import Fraction
from itertools import accumulate, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.spec.round_robin.cycle import cycle, window_bounds
from scenarios.spec.round_robin.recovery import healed_bounds, reloaded_bounds, returned_bounds, settling_picks
from tests.builders.nginx_round_robin import Life, Nginx
from tests.builders.nginx_states import all_states, nginx_at

SEARCHED = [(1, 1), (3, 1), (2, 4), (1, 1, 1), (1, 2, 2), (2, 1, 2), (1, 2, 3)]


def orders(weights, picks):
    """What nginx picks next, from every state in which everyone has returned."""
    for state in all_states(weights):
        if not any(at.failed for at in state):
            nginx = nginx_at(state, weights)
            yield [nginx.get(()) for _ in range(picks)]


def off(order, index, weights):
    return abs(order.count(index) - Fraction(len(order) * weights[index], sum(weights)))


def settled_after(order, period):
    """How many picks come before those that repeat."""
    return next(start for start in range(len(order)) if order[start:-period] == order[start + period :])


@pytest.mark.parametrize("weights", SEARCHED, ids=str)
def test_all_that_nginx_picks_after_a_return_is_found(weights):
    period = len(cycle(weights))
    settling = settling_picks(weights)
    found = list(orders(weights, settling + 3 * period))
    assert max(settled_after(order, period) for order in found) <= settling
    for picks, index in product(range(settling + 2 * period), range(len(weights))):
        returned = max(off(order[:picks], index, weights) for order in found)
        healed = max(off(order[settling:][: picks % period], index, weights) for order in found)
        assert returned_bounds(weights, picks)[index] == returned
        assert healed_bounds(weights, picks)[index] == healed


@pytest.mark.parametrize("weights", SEARCHED, ids=str)
def test_whole_cycles_are_exact_once_settled_and_the_windows_of_a_cycle_are_no_wider_than_ever(weights):
    period = len(cycle(weights))
    assert not any(healed_bounds(weights, 7 * period))
    widest = [max(of_one) for of_one in zip(*(healed_bounds(weights, picks) for picks in range(period)), strict=True)]
    assert all(bound >= of_fresh for bound, of_fresh in zip(widest, window_bounds(weights), strict=True))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=3), st.integers(0, 2**32))
def test_no_return_passes_the_bound(weights, seed):
    life = Life(weights, seed)
    for _ in range(3):
        life.dead = set(life.chance.sample(range(len(weights)), life.chance.randrange(len(weights))))
        life.lead(life.chance.randrange(40))
    life.heal()
    order = [life.nginx.get(()) for _ in range(40)]
    settling, period = settling_picks(weights), len(cycle(weights))
    assert settled_after(order, period) <= settling
    for index, picks in product(range(len(weights)), range(1, 20)):
        for start in range(20):
            of_run = off(order[start : start + picks], index, weights)
            assert of_run <= returned_bounds(weights, picks)[index]
            assert start < settling or of_run <= healed_bounds(weights, picks)[index]


def test_one_two_three_is_exact_two_picks_after_the_return():
    assert settling_picks([1, 2, 3]) == 2
    assert healed_bounds([1, 2, 3], 600) == [0, 0, 0]
    assert healed_bounds([1, 2, 3], 601) == [Fraction(5, 6), Fraction(2, 3), Fraction(1, 2)]
    assert returned_bounds([1, 2, 3], 600) == [1, 1, 1]


def test_weights_with_a_common_divisor_settle_later_for_they_rise_by_one():
    assert (settling_picks([1, 2, 3]), settling_picks([2, 4, 6])) == (2, 5)


@pytest.mark.parametrize("weights", [(1, 2, 3), (5, 1, 1), (2, 4), (1, 1)], ids=str)
def test_the_bound_over_reloads_is_reached_where_each_comes_at_the_worst_time(weights):
    for index, window in enumerate(window_bounds(weights)):
        share = Fraction(weights[index], sum(weights))
        nginx = Nginx(weights)
        from_fresh = list(accumulate((nginx.get(()) == index) - share for _ in range(sum(weights))))
        worst = max(window + reloads * sign * value for sign in (1, -1) for value in from_fresh for reloads in (2,))
        assert reloaded_bounds(weights, 2)[index] == worst
        assert reloaded_bounds(weights, 0)[index] == window
