import sys
import time

import gevent
import pytest
from gevent import socket

from locustfiles.gate import Gate, Report


def asks(answered, wanted=1):
    return Report(answered, wanted=wanted)


def rests(answered):
    return Report(answered)


@pytest.fixture
def reports():
    return []


@pytest.fixture
def gate(reports):
    return Gate(reports.append)


def user(gate, tickets):
    while True:
        tickets.append(gate.take())
        gevent.sleep(0)
        gate.done()


def test_users_park_until_there_are_permits_and_send_exactly_as_many_requests(gate, reports):
    tickets = []
    users = [gevent.spawn(user, gate, tickets) for _ in range(10)]
    gate.open("steady")
    gevent.sleep(0.01)
    assert tickets == []
    assert reports == [asks(0)]
    gate.grant(25)
    gevent.sleep(0.05)
    assert len(tickets) == 25
    assert len({ticket.request_id for ticket in tickets}) == 25
    assert {ticket.stage for ticket in tickets} == {"steady"}
    assert gate.in_flight == 0
    assert reports[-1] == rests(25)
    gevent.killall(users)


def test_permits_are_asked_for_when_they_run_out_and_the_end_is_reported_with_the_last_answer(gate, reports):
    gate.open("steady")
    gate.grant(2)
    gate.take()
    assert reports == []
    gate.take()
    assert reports == [asks(0)]
    gate.done()
    assert reports == [asks(0)]
    gate.done()
    assert reports == [asks(0), rests(2)]


def test_a_process_without_users_asks_for_nothing(gate, reports):
    gate.open("steady")
    assert reports == []


def test_users_that_wait_ask_anew_when_a_stage_opens(gate, reports):
    waiting = gevent.spawn(user, gate, [])
    gevent.sleep(0)
    assert reports == [asks(0)]
    gate.open("steady")
    assert reports == [asks(0), asks(0)]
    waiting.kill()
    gate.open("steady")
    assert reports == [asks(0), asks(0)]


def test_a_new_run_starts_from_nothing(gate):
    gate.grant(5)
    old = gate.take()
    gate.done()
    gate.reset()
    assert gate.answered == 0
    gate.open("other")
    gate.grant(1)
    new = gate.take()
    assert new.stage == "other"
    assert new.request_id != old.request_id


def test_a_gate_that_closes_gives_back_what_nobody_took_and_lets_those_in_flight_finish(gate, reports):
    gate.grant(10)
    gate.take()
    gate.close()
    assert reports == [Report(0, returned=9)]
    assert not gate.idle.is_set()
    gate.done()
    assert reports == [Report(0, returned=9), rests(1)]
    assert gate.idle.is_set()
    late = gevent.spawn(user, gate, [])
    gevent.sleep(0)
    gate.grant(3)
    assert reports[2:] == [Report(1, returned=3)]
    assert gate.in_flight == 0
    gate.open("next")
    assert reports[3:] == [asks(1)]
    late.kill()


def test_who_waits_goes_before_who_was_just_answered(gate):
    order = []

    def guest(name):
        gate.take()
        order.append(name)

    guests = [gevent.spawn(guest, name) for name in "abc"]
    gevent.sleep(0)
    gate.grant(4)
    guest("whoever comes by")
    guests.append(gevent.spawn(guest, "late"))
    gevent.joinall(guests[:3])
    assert order == ["whoever comes by", "a", "b", "c"]  # a permit of its own: none of a, b and c lost theirs
    assert gate.waiting == 1
    gevent.killall(guests)


def test_the_permit_of_a_user_that_is_stopped_on_its_way_goes_to_another(gate):
    tickets = []
    first, second = (gevent.spawn(user, gate, tickets) for _ in range(2))
    gevent.sleep(0)
    first.kill(block=False)
    gate.grant(1)
    gevent.sleep(0.01)
    assert len(tickets) == 1
    assert (gate.in_flight, gate.answered, gate.waiting) == (0, 1, 1)
    second.kill()


def test_all_who_are_let_through_together_begin_before_anything_is_received(gate):
    """The event loop would look at its sockets every 5 ms; here each beginning takes 1 ms."""
    begun, received = [], []
    here, there = socket.socketpair()

    def reader():
        here.recv(1)
        received.append(len(begun))

    def starter():
        gate.take()
        gevent.sleep(0)  # as Locust has it
        time.sleep(0.001)
        begun.append(None)

    def release():
        gate.grant(120)
        there.send(b"!")

    with here, there:
        greenlets = [gevent.spawn(reader), *(gevent.spawn(starter) for _ in range(120))]
        gevent.sleep(0)
        gevent.spawn_later(0.001, release)
        gevent.joinall(greenlets)
    assert received == [120]
    assert sys.getswitchinterval() < 1
