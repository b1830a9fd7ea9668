from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from locustfiles.generator.budget import Budget
from locustfiles.generator.protocol import BudgetReport


class Workers:
    """Workers that only remember what they were granted."""

    def __init__(self):
        self.leases = []

    def grant(self, worker, permits):
        self.leases.append((worker, permits))


def test_budget_before_the_stage_opens_leases_nothing_and_is_not_spent():
    workers = Workers()
    budget = Budget(workers.grant)
    budget.announce(10)
    budget.report("worker", BudgetReport(0, wanted=1))
    budget.report("worker", BudgetReport(0))
    assert workers.leases == []
    assert not budget.spent.is_set()


def test_worker_that_asked_in_an_earlier_stage_must_ask_again():
    workers = Workers()
    budget = Budget(workers.grant)
    budget.announce(0)
    budget.open(held=0)
    budget.report("worker that will have no users", BudgetReport(0, wanted=1))
    budget.announce(10)
    budget.report("worker that will have no users", BudgetReport(0, wanted=1))
    budget.open(held=0)
    budget.report("worker with users", BudgetReport(0, wanted=1))
    assert {worker for worker, _ in workers.leases} == {"worker with users"}


def test_stage_is_spent_with_the_last_answer_and_not_before():
    workers = Workers()
    budget = Budget(workers.grant)
    budget.announce(10)
    budget.open(held=0)
    while sum(permits for _, permits in workers.leases) < 10:
        budget.report("worker", BudgetReport(0, wanted=1))
    budget.report("worker", BudgetReport(9, wanted=1))
    assert not budget.spent.is_set()
    budget.report("worker", BudgetReport(10))
    assert budget.spent.is_set()


def test_stage_closed_early_is_spent_when_every_lease_is_answered_or_given_back():
    workers = Workers()
    budget = Budget(workers.grant)
    budget.announce(100)
    budget.open(held=0)
    budget.report("worker", BudgetReport(0, wanted=1))
    assert workers.leases == [("worker", 50)]
    budget.close()
    budget.report("worker", BudgetReport(20, returned=25))
    assert not budget.spent.is_set()
    budget.report("worker", BudgetReport(25, wanted=1))
    assert workers.leases == [("worker", 50)]
    assert budget.spent.is_set()
    assert budget.answered == 25


def test_stage_without_requests_is_spent_at_once():
    budget = Budget(lambda *_: None)
    budget.announce(0)
    budget.open(held=0)
    assert budget.spent.is_set()


def test_requests_held_back_are_leased_on_release_to_the_workers_that_want_them():
    workers = Workers()
    budget = Budget(workers.grant)
    budget.announce(100)
    budget.open(held=100)
    budget.report("first", BudgetReport(0, wanted=1))
    budget.report("second", BudgetReport(0, wanted=1))
    assert workers.leases == []
    budget.release({"first": 40, "second": 50, "third": 0})
    assert workers.leases == [("first", 40), ("second", 50)]


def test_older_report_that_arrives_late_takes_no_answer_back():
    budget = Budget(lambda *_: None)
    budget.announce(10)
    budget.open(held=0)
    budget.report("worker", BudgetReport(0, wanted=10))
    budget.report("worker", BudgetReport(10))
    budget.report("worker", BudgetReport(4))
    assert budget.answered == 10


def test_leased_requests_are_those_granted_and_not_given_back():
    budget = Budget(lambda *_: None)
    budget.announce(10)
    budget.open(held=0)
    budget.report("worker", BudgetReport(0, wanted=8))
    budget.report("worker", BudgetReport(3, returned=2))
    assert budget.leased("worker") == 6
    assert budget.leased("stranger") == 0


@given(st.lists(st.integers(1, 300), min_size=1, max_size=4), st.integers(1, 5), st.randoms(use_true_random=False))
def test_requests_of_every_stage_are_leased_exactly_once_in_any_order_of_reports(stages, number_of_workers, chance):
    answered, held = Counter(), Counter()
    budget = Budget(lambda worker, permits: held.update({worker: permits}))
    names = [f"worker {number}" for number in range(number_of_workers)]
    for requests in stages:
        before = answered.total()
        budget.announce(requests)
        reserve = min(requests, chance.randint(0, 400))
        budget.open(held=reserve)
        while not budget.spent.is_set():
            if held.total() == 0 and answered.total() - before == requests - reserve:
                budget.release({chance.choice(names): chance.randint(0, 40)})
            name = chance.choice(names)
            if held[name]:
                held[name] -= 1
                answered[name] += 1
            budget.report(name, BudgetReport(answered[name], wanted=chance.randint(1, 40) if not held[name] else 0))
        assert answered.total() - before == requests
        assert held.total() == 0
