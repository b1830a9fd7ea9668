from fractions import Fraction
from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.spec.round_robin.cycle import cycle, window_bounds

weights = st.lists(st.integers(1, 8), min_size=1, max_size=5)


def test_one_two_three_is_picked_in_the_order_that_nginx_picks_it():
    assert cycle([1, 2, 3]) == [2, 1, 0, 2, 1, 2]


def test_one_two_three_has_the_bounds_that_were_measured_on_nginx():
    assert window_bounds([1, 2, 3]) == [Fraction(5, 6), Fraction(4, 6), Fraction(1)]


def test_a_single_backend_may_not_deviate_at_all():
    assert window_bounds([7]) == [0]


@given(weights, st.integers(2, 5))
def test_only_proportions_matter(vector, factor):
    assert cycle([weight * factor for weight in vector]) == cycle(vector)


@settings(max_examples=60, deadline=None)
@given(weights)
def test_the_bound_holds_in_every_window_and_is_reached_in_one(vector):
    """Against brute force: every window of every length over three cycles, counted one by one."""
    picks = cycle(vector) * 3
    total = sum(vector)
    for index, (weight, bound) in enumerate(zip(vector, window_bounds(vector), strict=True)):
        counts = [0, *accumulate(pick == index for pick in picks)]
        worst = max(
            abs(counts[end] - counts[start] - Fraction(weight * (end - start), total))
            for start in range(len(picks))
            for end in range(start, len(picks) + 1)
        )
        assert worst == bound
