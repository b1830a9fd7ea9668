import time

import gevent
import pytest

from locustfiles.generator.arrivals import Arrivals


@pytest.fixture
def arrivals():
    return Arrivals()


def entering(arrivals, users):
    return [gevent.spawn(arrivals.enter, number) for number in range(users)]


def test_users_before_the_stage_opens_wait_and_then_enter_at_the_rate(arrivals):
    users = entering(arrivals, 20)
    gevent.sleep(0.05)
    assert arrivals.users == 0
    arrivals.open(rate=100)
    gevent.sleep(0.1)
    assert 5 < arrivals.users < 15
    gevent.joinall(users, timeout=5)
    assert arrivals.users == 20


def test_users_that_come_at_once_enter_one_after_the_other_at_the_rate(arrivals):
    arrivals.open(rate=200)
    begin, came_in_at = time.monotonic(), []

    def come_in(user):
        arrivals.enter(user)
        came_in_at.append(time.monotonic() - begin)

    gevent.joinall([gevent.spawn(come_in, number) for number in range(40)], timeout=5)
    assert all(at >= number / 200 - 0.001 for number, at in enumerate(came_in_at))


def test_users_without_a_rate_enter_together(arrivals):
    users = entering(arrivals, 1000)
    arrivals.open(rate=None)
    gevent.sleep(0)
    gevent.joinall(users, timeout=0.02)
    assert arrivals.users == 1000


def test_user_stopped_on_the_way_in_or_gone_is_not_counted(arrivals):
    arrivals.open(rate=10)
    first, second = entering(arrivals, 2)
    gevent.sleep(0.01)
    second.kill()
    for user in (0, 1):
        arrivals.leave(user)
    assert first.dead
    assert arrivals.users == 0


def test_user_after_a_reset_waits_for_the_stage_of_the_next_run(arrivals):
    arrivals.open(rate=None)
    arrivals.reset()
    [user] = entering(arrivals, 1)
    gevent.sleep(0.01)
    assert not user.dead
    user.kill()
