"""Request ids as numbers: never two ids with one number, and always the way back."""

from hypothesis import given
from hypothesis import strategies as st

from analysis.evidence.request_ids import RequestIds
from analysis.measures.matching import Matching
from tests.builders.evidence import balanced, evidence, response

OURS = st.builds("{}-{:08x}".format, st.text("0123456789abcdef", min_size=12, max_size=12), st.integers(0, 2**40 - 1))
ODD = st.text("0123456789abcdef-Gé ", max_size=24)


@given(st.lists(st.one_of(OURS, ODD)))
def test_every_id_comes_back_and_no_two_share_a_number(texts):
    ids = RequestIds()
    numbers = ids.numbers(texts)
    assert ids.texts(numbers) == texts
    assert len(set(numbers)) == len(set(texts))


@given(st.lists(st.one_of(OURS, ODD)), st.lists(st.one_of(OURS, ODD)))
def test_the_same_id_has_the_same_number_in_both_ledgers(client, balancer):
    ids = RequestIds()
    sent, logged = ids.numbers(client), ids.numbers(balancer)
    assert set(sent) & set(logged) == set(ids.numbers([*set(client) & set(balancer)]))


def test_the_ids_of_the_generator_need_no_text():
    ids = RequestIds()
    assert ids.numbers(["0123456789ab-0000001f", "0123456789ab-00000020"]).tolist() == [31, 32]
    assert ids.numbers(["somebody-else"]).tolist() == [-1]


NUMBERS = st.lists(st.integers(0, 9), max_size=12)


@given(NUMBERS, NUMBERS)
def test_matching_pairs_the_last_rows_of_each_id_and_names_the_rest(client, balancer):
    rows = [response(0, request_id=f"id-{number}") for number in client]
    made = evidence(rows, {"a": 1}, requests=1, balancer=[balanced(f"id-{number}") for number in balancer])
    matching = Matching.of(made)
    last_sent = {number: place for place, number in enumerate(client)}
    last_logged = {number: place for place, number in enumerate(balancer)}
    both = last_sent.keys() & last_logged.keys()
    assert set(zip(matching.client, matching.balancer, strict=True)) == {
        (last_sent[number], last_logged[number]) for number in both
    }
    assert sorted(matching.unlogged) == sorted(last_sent[number] for number in last_sent.keys() - both)
    assert sorted(matching.unsent) == sorted(last_logged[number] for number in last_logged.keys() - both)
    assert matching.sent_again == len(client) - len(set(client))
    assert len(matching.logged_again) == len(balancer) - len(set(balancer))
