import gevent
import pytest

from locustfiles.gate import Gate, Report


def asks(answered):
    return Report(answered, wants_more=True)


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
        with gate.admit() as ticket:
            tickets.append(ticket)
            gevent.sleep(0)


def test_users_park_until_there_are_permits_and_send_exactly_as_many_requests(gate, reports):
    tickets = []
    users = [gevent.spawn(user, gate, tickets) for _ in range(10)]
    gate.open()
    gevent.sleep(0.01)
    assert tickets == []
    assert reports == [asks(0)]
    gate.grant(25, "steady")
    gevent.sleep(0.05)
    assert len(tickets) == 25
    assert len({ticket.request_id for ticket in tickets}) == 25
    assert {ticket.stage for ticket in tickets} == {"steady"}
    assert gate.in_flight == 0
    assert reports[-1] == rests(25)
    gevent.killall(users)


def test_permits_are_asked_for_when_they_run_out_and_the_end_is_reported_with_the_last_answer(gate, reports):
    gate.open()
    gate.grant(2, "steady")
    first, second = gate.admit(), gate.admit()
    first.__enter__()
    assert reports == []
    second.__enter__()
    assert reports == [asks(0)]
    first.__exit__(None, None, None)
    assert reports == [asks(0)]
    second.__exit__(None, None, None)
    assert reports == [asks(0), rests(2)]


def test_a_process_without_users_asks_for_nothing(gate, reports):
    gate.open()
    assert reports == []


def test_users_that_wait_ask_anew_when_a_stage_opens(gate, reports):
    waiting = gevent.spawn(user, gate, [])
    gevent.sleep(0)
    assert reports == [asks(0)]
    gate.open()
    assert reports == [asks(0), asks(0)]
    waiting.kill()
    gate.open()
    assert reports == [asks(0), asks(0)]


def test_a_request_that_raises_counts_as_ended(gate, reports):
    gate.grant(1, "steady")
    with pytest.raises(ValueError, match="broken"), gate.admit():
        raise ValueError("broken")
    assert (gate.in_flight, gate.answered, reports) == (0, 1, [asks(0), rests(1)])


def test_a_new_run_starts_from_nothing(gate):
    gate.grant(5, "steady")
    with gate.admit() as old:
        pass
    gate.reset()
    assert gate.answered == 0
    gate.grant(1, "other")
    with gate.admit() as new:
        assert new.stage == "other"
        assert new.request_id != old.request_id


def test_a_gate_that_closes_gives_back_what_nobody_took_and_lets_those_in_flight_finish(gate, reports):
    gate.grant(10, "steady")
    with gate.admit():
        gate.close()
        assert reports == [Report(0, returned=9)]
    assert reports == [Report(0, returned=9), rests(1)]
    late = gevent.spawn(user, gate, [])
    gevent.sleep(0)
    assert gate.in_flight == 0
    late.kill()
