"""The bounds under faults against nginx's algorithm, written again line by line: never passed, and reached."""

import random
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.spec.round_robin.outage import picks_until_asked, survivor_bounds
from scenarios.spec.round_robin.states import reachable_states
from tests.builders.nginx_round_robin import Life, Nginx, deviations
from tests.builders.nginx_states import At, after, all_states, closed, outage, timed_out

SMALL = [(1, 1), (3, 1), (1, 1, 1), (1, 2, 2), (2, 1, 2)]
SEARCHED = [*SMALL, (1, 2, 3)]
OUTAGES = [(weights, out) for weights in SEARCHED for out in range(len(weights))]


def bounds_by_enumeration(weights, out, probes, known_dead, *, hanging):
    """Every deviation that any run can end with, one by one, from every state of an outage that began so."""
    survivors = [index for index in range(len(weights)) if index not in out]
    total = sum(weights[index] for index in survivors)
    states = closed(known_dead, lambda state: (then for then, *_ in outage(state, weights, out, hanging=hanging)))
    moves = {state: list(outage(state, weights, out, hanging=hanging)) for state in states}

    def runs_of(survivor):
        def one_more(run):
            state, touched, off = run
            for then, picked, begun in moves[state]:
                if touched + begun <= probes:
                    yield then, touched + begun, off + gain(picked)

        def gain(picked):
            return 0 if picked is None else total * (picked == survivor) - weights[survivor]

        begins = {(state, sum(at.eligible for at in state), 0) for state in states}
        return closed({begin for begin in begins if begin[1] <= probes}, one_more)

    return {index: Fraction(max(abs(off) for *_, off in runs_of(index)), total) for index in survivors}


def just_failed(state, weights, out):
    return all(
        (at.waiting and not at.effective) if index in out else (not at.failed and at.effective == weights[index])
        for index, at in enumerate(state)
    )


@pytest.mark.parametrize("weights", SEARCHED, ids=str)
def test_the_states_are_those_of_nginx_and_can_all_be_healthy_ones(weights):
    everything = all_states(weights)
    healthy = {
        state
        for state in everything
        if all(not at.failed and at.effective == weight for at, weight in zip(state, weights, strict=True))
    }
    for states in (everything, healthy):
        assert {tuple(at.current for at in state) for state in states} == reachable_states(weights)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=2, max_size=4).filter(lambda each: sum(each) < 9), st.integers(0, 2**32))
def test_whatever_is_tried_again_fails_or_returns_nginx_stays_in_these_states(weights, seed):
    nginx, states, chance = Nginx(weights), reachable_states(weights), random.Random(seed)
    for _ in range(300):
        index = chance.randrange(len(weights))
        tried = chance.sample(range(len(weights)), chance.randrange(len(weights)))
        if chance.random() < 0.5:
            nginx.get(tried)
        else:
            nginx.free(index, failed=chance.random() < 0.5)
        nginx.now += chance.choice((0, 0, 1))
        assert tuple(peer.current for peer in nginx.peers) in states


@pytest.mark.parametrize("hanging", [True, False])
@pytest.mark.parametrize(("weights", "out"), OUTAGES, ids=str)
def test_the_bound_of_the_survivors_is_what_enumeration_finds(weights, out, hanging):
    known_dead = {state for state in all_states(weights) if just_failed(state, weights, (out,))}
    for probes in range(4):
        expected = bounds_by_enumeration(weights, (out,), probes, known_dead, hanging=hanging)
        assert survivor_bounds(weights, [out], probes, hanging=hanging) == expected


@pytest.mark.parametrize("out", list(combinations(range(4), 2)), ids=str)
def test_two_that_are_out_may_be_probed_in_any_order(out):
    """From the states of the code under test: all that nginx can be in with four backends are too many to walk."""
    weights = (1, 1, 1, 1)
    known_dead = {
        tuple(
            At(current, 0, failed=True, waiting=True) if index in out else At(current, 1, failed=False)
            for index, current in enumerate(currents)
        )
        for currents in reachable_states(weights)
    }
    for probes in range(3):
        expected = bounds_by_enumeration(weights, out, probes, known_dead, hanging=True)
        assert survivor_bounds(weights, out, probes) == expected


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=3) | st.lists(st.integers(1, 2), min_size=4, max_size=4),
    st.integers(0, 2**32),
    st.booleans(),
    st.data(),
)
def test_no_life_of_nginx_passes_the_bound(weights, seed, hanging, data):
    life = Life(weights, seed, hanging=hanging)
    everyone = range(len(weights))
    for _ in range(3):
        life.dead = set(life.chance.sample(everyone, life.chance.randrange(len(weights))))
        life.lead(life.chance.randrange(40))
    out = data.draw(st.sets(st.sampled_from(everyone), min_size=1, max_size=len(weights) - 1))
    life.kill(out)
    life.lead(60)
    survivors = {index: weights[index] for index in everyone if index not in out}
    for probes in range(3):
        bounds = survivor_bounds(weights, out, probes, hanging=hanging)
        for index, off in deviations(life.picks, survivors, probes).items():
            assert off <= bounds[index]


def test_one_two_three_without_each_backend():
    """In requests, by survivor; two survivors are off by the same."""
    assert [set(survivor_bounds([1, 2, 3], [out]).values()) for out in range(3)] == [
        {Fraction(6, 5)}, {Fraction(5, 4)}, {Fraction(5, 3)}
    ]  # fmt: skip


def test_the_last_survivor_has_all_picks():
    assert survivor_bounds([1, 2, 3], [0, 2], 5) == {1: 0}


@pytest.mark.parametrize(("out", "drift"), [(0, Fraction(2, 15)), (1, Fraction(1, 4)), (2, Fraction(2, 3))])
def test_probes_that_fail_add_up(out, drift):
    """What a probe takes is not the survivors' share of it; the picks between two probes may always fall in badly."""
    survivor = (out + 1) % 3
    few, many = (survivor_bounds([1, 2, 3], [out], probes)[survivor] for probes in (10, 40))
    assert many - few == 30 * drift


@pytest.mark.parametrize(("weights", "out"), OUTAGES, ids=str)
def test_who_is_eligible_again_is_asked_after_so_many_picks_at_most(weights, out):
    begins = (state for state in all_states(weights) if just_failed(state, weights, (out,)))
    assert picks_until_asked(weights, out) == max(picks_of(timed_out(state, out), weights, out) for state in begins)


def picks_of(state, weights, out):
    picks = 0
    while state[out].eligible:
        state, picks = after(state, weights, "get", ())[1], picks + 1
    return picks


def test_the_simulated_nginx_picks_as_nginx_does():
    life = Life((1, 2, 3), seed=0)
    for _ in range(6):
        life.begin()
    assert [picked for picked, *_ in life.picks] == [2, 1, 0, 2, 1, 2]
