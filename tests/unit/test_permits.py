import sys
import time

import gevent
import pytest
from gevent import socket

from locustfiles.generator.permits import Permits
from locustfiles.generator.protocol import BudgetReport


def asks(answered, wanted=1):
    return BudgetReport(answered, wanted=wanted)


def rests(answered):
    return BudgetReport(answered)


@pytest.fixture
def reports():
    return []


@pytest.fixture
def permits(reports):
    return Permits(reports.append)


def user(permits, taken):
    while True:
        taken.append(permits.take())
        gevent.sleep(0)
        permits.done()


def test_users_without_permits_wait_and_then_send_exactly_as_many_requests(permits, reports):
    taken = []
    users = [gevent.spawn(user, permits, taken) for _ in range(10)]
    permits.open("steady")
    gevent.sleep(0.01)
    assert taken == []
    assert reports == [asks(0)]
    permits.grant(25)
    gevent.sleep(0.05)
    assert len(taken) == 25
    assert len({permit.request_id for permit in taken}) == 25
    assert {permit.stage for permit in taken} == {"steady"}
    assert permits.in_flight == 0
    assert reports[-1] == rests(25)
    gevent.killall(users)


def test_permits_when_they_run_out_are_asked_for_and_the_last_answer_is_reported(permits, reports):
    permits.open("steady")
    permits.grant(2)
    permits.take()
    assert reports == []
    permits.take()
    assert reports == [asks(0)]
    permits.done()
    assert reports == [asks(0)]
    permits.done()
    assert reports == [asks(0), rests(2)]


def test_process_without_users_asks_for_nothing(permits, reports):
    permits.open("steady")
    assert reports == []


def test_users_that_wait_when_a_stage_opens_ask_anew(permits, reports):
    waiting = gevent.spawn(user, permits, [])
    gevent.sleep(0)
    assert reports == [asks(0)]
    permits.open("steady")
    assert reports == [asks(0), asks(0)]
    waiting.kill()
    permits.open("steady")
    assert reports == [asks(0), asks(0)]


def test_permits_after_a_reset_start_from_nothing(permits):
    permits.grant(5)
    old = permits.take()
    permits.done()
    permits.reset()
    assert permits.answered == 0
    permits.open("other")
    permits.grant(1)
    new = permits.take()
    assert new.stage == "other"
    assert new.request_id != old.request_id


def test_permits_when_closed_are_given_back_and_requests_in_flight_finish(permits, reports):
    permits.grant(10)
    permits.take()
    permits.close()
    assert reports == [BudgetReport(0, returned=9)]
    assert not permits.idle.is_set()
    permits.done()
    assert reports == [BudgetReport(0, returned=9), rests(1)]
    assert permits.idle.is_set()
    late = gevent.spawn(user, permits, [])
    gevent.sleep(0)
    permits.grant(3)
    assert reports[2:] == [BudgetReport(1, returned=3)]
    assert permits.in_flight == 0
    permits.open("next")
    assert reports[3:] == [asks(1)]
    late.kill()


def test_user_that_waits_goes_before_a_user_that_was_just_answered(permits):
    order = []

    def take(name):
        permits.take()
        order.append(name)

    users = [gevent.spawn(take, name) for name in "abc"]
    gevent.sleep(0)
    permits.grant(4)
    take("passer-by")
    users.append(gevent.spawn(take, "late"))
    gevent.joinall(users[:3])
    assert order == ["passer-by", "a", "b", "c"]  # a permit of its own: none of a, b and c lost theirs
    assert permits.waiting == 1
    gevent.killall(users)


def test_permit_of_a_user_stopped_on_its_way_goes_to_another(permits):
    taken = []
    first, second = (gevent.spawn(user, permits, taken) for _ in range(2))
    gevent.sleep(0)
    first.kill(block=False)
    permits.grant(1)
    gevent.sleep(0.01)
    assert len(taken) == 1
    assert (permits.in_flight, permits.answered, permits.waiting) == (0, 1, 1)
    second.kill()


def test_users_let_through_together_all_send_before_any_receives(permits):
    """The event loop would look at its sockets every 5 ms; here each beginning takes 1 ms."""
    begun, received = [], []
    here, there = socket.socketpair()

    def reader():
        here.recv(1)
        received.append(len(begun))

    def starter():
        permits.take()
        gevent.sleep(0)  # as Locust has it
        time.sleep(0.001)
        begun.append(None)

    def release():
        permits.grant(120)
        there.send(b"!")

    with here, there:
        greenlets = [gevent.spawn(reader), *(gevent.spawn(starter) for _ in range(120))]
        gevent.sleep(0)
        gevent.spawn_later(0.001, release)
        gevent.joinall(greenlets)
    assert received == [120]
    assert sys.getswitchinterval() < 1
