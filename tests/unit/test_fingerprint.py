from collections import Counter
from itertools import product
from math import prod

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from analysis.fingerprint.chances import chance_of_counts, chance_of_turn, longest_turn
from analysis.fingerprint.fingerprint import HypothesisStanding, judged
from analysis.fingerprint.probe import Probe, windows_of
from scenarios.formats.columns import Column
from scenarios.formats.probe_record import Phase
from scenarios.run.prober import Prober
from scenarios.spec.balancer import Algorithm
from scenarios.spec.errors import UsageError
from scenarios.spec.target import Target
from tests.builders.balancers import AddressHash, LeastConnections, Random, RoundRobin, probed, record

WEIGHTS = {"a": 1, "b": 2, "c": 3}


def one_state(kind, workers=2):
    return [kind(WEIGHTS)] * workers


def state_each(kind, workers=2):
    return [kind(WEIGHTS) for _ in range(workers)]


def fits(found):
    return [each.algorithm for each in found.hypotheses if each.outcome != HypothesisStanding.EXCLUDED]


@pytest.mark.parametrize(
    ("states", "algorithm"),
    [
        (one_state(RoundRobin), Algorithm.SHARED),
        (state_each(RoundRobin), Algorithm.PER_WORKER),
        (state_each(RoundRobin, 4), Algorithm.PER_WORKER),
        (one_state(LeastConnections), Algorithm.LEAST_CONNECTIONS),
        (state_each(LeastConnections), Algorithm.LEAST_CONNECTIONS),
        (one_state(Random), Algorithm.RANDOM),
        (one_state(AddressHash), Algorithm.ADDRESS_HASH),
    ],
)
def test_every_algorithm_is_told_from_the_others(states, algorithm):
    found = judged(record(WEIGHTS, (algorithm,)), probed(states, WEIGHTS))
    assert fits(found) == [algorithm]
    assert found.sentence == f"It looks like {algorithm}, as the configuration says."
    assert found.exit_code == 0
    assert {each.outcome for each in found.hypotheses} == {HypothesisStanding.FITS, HypothesisStanding.EXCLUDED}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 8), min_size=2, max_size=5), st.integers(0, 40), st.integers(0, 99))
def test_shared_round_robin_fits_whatever_the_weights_and_wherever_in_its_cycle_it_is(vector, before, seed):
    weights = {f"back-{number}": weight for number, weight in enumerate(vector)}
    state = RoundRobin(weights)
    for _ in range(before):
        state.pick("")
    assert Algorithm.SHARED in fits(judged(record(weights), probed([state, state], weights, seed=seed)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 8), min_size=2, max_size=5), st.integers(1, 4), st.integers(0, 99))
@example([1, 1, 1, 1, 1], 4, 88)
def test_round_robin_per_worker_is_told_from_least_connections_once_a_worker_asks_the_paused_one_twice(
    vector, workers, seed
):
    """Until then least connections would have asked it as often."""
    weights = {f"back-{number}": weight for number, weight in enumerate(vector)}
    rows = probed([RoundRobin(weights) for _ in range(workers)], weights, seed=seed)
    asked = rows[(rows[Column.PHASE] == Phase.SLOWED) & (rows[Column.HOST_TAG] == record(weights).paused)]
    found = fits(judged(record(weights), rows))
    assert Algorithm.PER_WORKER in found
    assert (Algorithm.LEAST_CONNECTIONS in found) == (not asked[Column.PID].duplicated().any())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 8), min_size=2, max_size=5), st.integers(0, 99))
def test_least_connections_fits_itself_whatever_the_weights_and_no_round_robin_does(vector, seed):
    weights = {f"back-{number}": weight for number, weight in enumerate(vector)}
    assume(sum(vector) <= 100)
    assert fits(judged(record(weights), probed([LeastConnections(weights)] * 2, weights, seed=seed))) == [
        Algorithm.LEAST_CONNECTIONS
    ]


@pytest.mark.parametrize("seed", range(20))
def test_random_picks_are_told_from_everything_else_again_and_again(seed):
    found = judged(record(WEIGHTS), probed([Random(WEIGHTS, seed)], WEIGHTS))
    assert fits(found) == [Algorithm.RANDOM]
    assert found.exit_code == 1
    assert found.sentence == f"It looks like random, and the configuration says {Algorithm.SHARED}."


def test_other_weights_than_the_configured_ones_are_none_of_these():
    found = judged(record({"a": 1, "b": 2, "c": 4}), probed(one_state(RoundRobin), WEIGHTS))
    assert Algorithm.SHARED not in fits(found)
    random = judged(record({"a": 3, "b": 2, "c": 1}), probed(one_state(Random), WEIGHTS))
    assert (fits(random), random.exit_code) == ([], 1)
    assert random.sentence.startswith("It looks like none of these, and")


def test_one_exchanged_pick_is_enough_to_exclude_both_kinds_of_round_robin():
    rows = probed(one_state(RoundRobin, 1), WEIGHTS)
    one, other = rows.index[rows[Column.PHASE] == Phase.SEQUENTIAL][60:62]
    assert rows.loc[one, Column.HOST_TAG] != rows.loc[other, Column.HOST_TAG]
    rows.loc[[one, other], Column.HOST_TAG] = rows.loc[[other, one], Column.HOST_TAG].to_numpy()
    found = judged(record(WEIGHTS), rows)
    assert fits(found) == []
    assert found.exit_code == 1


def test_the_longest_run_in_turn_is_found_wherever_it_is():
    probe = Probe(probed(one_state(RoundRobin), WEIGHTS), WEIGHTS, "c")
    assert longest_turn(probe, "cccccc") == 0
    assert longest_turn(probe, "c" + "ccbcabcc" + "abbb") == 8
    assert longest_turn(probe, "aa" + "cbacbc" * 3 + "a") == 18


def test_what_a_slow_backend_left_behind_is_not_taken_for_another_algorithm():
    states, algorithm = state_each(LeastConnections), Algorithm.LEAST_CONNECTIONS
    for _ in range(5):
        found = judged(record(WEIGHTS, (algorithm,)), probed(states, WEIGHTS))
        assert (fits(found), found.exit_code) == ([algorithm], 0)
        for state in states:
            state.open = dict.fromkeys(WEIGHTS, 0)


@pytest.mark.parametrize(
    ("both", "code"),
    [((Algorithm.SHARED, Algorithm.PER_WORKER), 0), ((Algorithm.SHARED,), 3), ((Algorithm.RANDOM,), 1)],
)
def test_one_worker_does_not_tell_a_shared_state_from_its_own(both, code):
    found = judged(record(WEIGHTS, both), probed(one_state(RoundRobin, 1), WEIGHTS))
    assert fits(found) == [Algorithm.SHARED, Algorithm.PER_WORKER]
    assert {each.outcome for each in found.hypotheses} == {
        HypothesisStanding.NOT_SEPARABLE,
        HypothesisStanding.EXCLUDED,
    }
    assert found.sentence.startswith(f"It fits several: {Algorithm.SHARED}; {Algorithm.PER_WORKER}.")
    assert found.exit_code == code


@pytest.mark.parametrize(("told", "code"), [(Algorithm.ADDRESS_HASH, 3), (Algorithm.SHARED, 1)])
def test_without_several_addresses_a_hash_is_not_told_from_whatever_always_reaches_one_backend(told, code):
    found = judged(record(WEIGHTS, (told,)), probed(one_state(AddressHash), WEIGHTS, addresses=False))
    assert fits(found) == [Algorithm.ADDRESS_HASH]
    assert "or another algorithm that always picks one backend" in found.sentence
    assert HypothesisStanding.FITS not in {each.outcome for each in found.hypotheses}
    assert found.exit_code == code


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("status", 502, "requests: not answered by a backend of the configuration"),
        (Column.HOST_TAG, "stranger", "requests: not answered by a backend of the configuration"),
        ("pid", 0, "requests: not in the balancer's log"),
        ("attempts", 2, "requests: tried on several backends"),
    ],
)
def test_picks_that_are_not_all_known_allow_no_conclusion(column, value, sentence):
    rows = probed(one_state(RoundRobin), WEIGHTS)
    rows.loc[7, column] = value
    found = judged(record(WEIGHTS), rows)
    assert sentence in found.sentence
    assert {each.outcome for each in found.hypotheses} == {HypothesisStanding.NOT_SEPARABLE}
    assert found.exit_code == 3


def test_requests_of_somebody_else_allow_no_conclusion():
    found = judged(record(WEIGHTS, foreign=4), probed(one_state(RoundRobin), WEIGHTS))
    assert found.sentence == "Cannot tell: requests of other clients meanwhile: 4."
    assert found.exit_code == 3


@pytest.mark.parametrize(
    ("weights", "picks"), [({"a": 1, "b": 1}, 6), ({"a": 1, "b": 2}, 6), ({"a": 1, "b": 1, "c": 1}, 6)]
)
def test_the_chance_that_independent_picks_are_in_turn_is_that_of_counting_them_all(weights, picks):
    probe, total = Probe(probed([RoundRobin(weights)], weights), weights, "a"), sum(weights.values())
    chance = sum(
        prod(weights[tag] / total for tag in sequence)
        for sequence in product(weights, repeat=picks)
        if windows_of(probe, [sequence])[1] == 0
    )
    assert float(chance_of_turn(probe, picks)) == pytest.approx(chance)


def test_the_chance_of_counts_is_exact_and_keeps_its_level():
    """Of all sequences of six, those whose chance is said to be at most p come up with a chance of at most p."""
    probe = Probe(probed(one_state(RoundRobin), WEIGHTS), WEIGHTS, "c")
    said = Counter()
    for sequence in product("abc", repeat=6):
        said[chance_of_counts(probe, sequence)] += prod(WEIGHTS[tag] / 6 for tag in sequence)
    for limit in said:
        assert sum(chance for level, chance in said.items() if level <= limit) <= limit + 1e-12
    assert chance_of_counts(probe, "cccccc") == pytest.approx(3 * 2 * 0.5**6)


def test_weights_that_would_take_too_many_requests_at_once_are_refused():
    Prober(None, Target(), {"a": 500, "b": 1000}).require_short_cycle()
    with pytest.raises(UsageError, match=r"add up to 101 in their lowest terms, .* 100 at most"):
        Prober(None, Target(), {"a": 1, "b": 100}).require_short_cycle()
