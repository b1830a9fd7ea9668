from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from locustfiles.budget import Budget
from locustfiles.gate import Report


class Workers:
    """Workers that only remember what they were granted."""

    def __init__(self):
        self.leases = []

    def grant(self, worker, permits):
        self.leases.append((worker, permits))


def test_nothing_is_leased_before_the_stage_opens_nor_is_it_spent():
    workers = Workers()
    budget = Budget(workers.grant)
    budget.announce(10)
    budget.report("worker", Report(0, wants_more=True))
    budget.report("worker", Report(0, wants_more=False))
    assert workers.leases == []
    assert not budget.spent.is_set()


def test_who_asked_in_an_earlier_stage_must_ask_again():
    workers = Workers()
    budget = Budget(workers.grant)
    budget.announce(0)
    budget.open()
    budget.report("worker that will have no users", Report(0, wants_more=True))
    budget.announce(10)
    budget.report("worker that will have no users", Report(0, wants_more=True))
    budget.open()
    budget.report("worker with users", Report(0, wants_more=True))
    assert {worker for worker, _ in workers.leases} == {"worker with users"}


def test_a_stage_is_spent_when_the_last_lease_is_answered_and_not_before():
    workers = Workers()
    budget = Budget(workers.grant)
    budget.announce(10)
    budget.open()
    while sum(permits for _, permits in workers.leases) < 10:
        budget.report("worker", Report(0, wants_more=True))
    budget.report("worker", Report(9, wants_more=True))
    assert not budget.spent.is_set()
    budget.report("worker", Report(10, wants_more=False))
    assert budget.spent.is_set()


def test_a_stage_closed_early_is_spent_when_all_that_was_leased_is_answered_or_given_back():
    workers = Workers()
    budget = Budget(workers.grant)
    budget.announce(100)
    budget.open()
    budget.report("worker", Report(0, wants_more=True))
    assert workers.leases == [("worker", 50)]
    budget.close()
    budget.report("worker", Report(20, returned=25))
    assert not budget.spent.is_set()
    budget.report("worker", Report(25, wants_more=True))
    assert workers.leases == [("worker", 50)]
    assert budget.spent.is_set()
    assert budget.answered == 25


def test_a_stage_without_requests_is_spent_at_once():
    budget = Budget(lambda *_: None)
    budget.announce(0)
    budget.open()
    assert budget.spent.is_set()


@given(st.lists(st.integers(1, 300), min_size=1, max_size=4), st.integers(1, 5), st.randoms(use_true_random=False))
def test_whoever_asks_when_every_request_of_every_stage_is_leased_exactly_once(stages, number_of_workers, chance):
    answered, held = Counter(), Counter()
    budget = Budget(lambda worker, permits: held.update({worker: permits}))
    names = [f"worker {number}" for number in range(number_of_workers)]
    for requests in stages:
        before = answered.total()
        budget.announce(requests)
        budget.open()
        while not budget.spent.is_set():
            name = chance.choice(names)
            if held[name]:
                held[name] -= 1
                answered[name] += 1
            budget.report(name, Report(answered[name], wants_more=not held[name]))
        assert answered.total() - before == requests
        assert held.total() == 0
