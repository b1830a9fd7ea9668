import time

import gevent
import pytest

from locustfiles.entrance import Entrance


@pytest.fixture
def entrance():
    return Entrance()


def entering(entrance, users):
    return [gevent.spawn(entrance.enter, number) for number in range(users)]


def test_nobody_comes_in_before_the_stage_opens_and_who_comes_before_is_paced_like_who_comes_later(entrance):
    users = entering(entrance, 20)
    gevent.sleep(0.05)
    assert entrance.users == 0
    entrance.open(rate=100)
    gevent.sleep(0.1)
    assert 5 < entrance.users < 15
    gevent.joinall(users, timeout=5)
    assert entrance.users == 20


def test_users_who_come_at_once_come_in_one_after_the_other_at_the_rate(entrance):
    entrance.open(rate=200)
    begin, came_in_at = time.monotonic(), []

    def come_in(user):
        entrance.enter(user)
        came_in_at.append(time.monotonic() - begin)

    gevent.joinall([gevent.spawn(come_in, number) for number in range(40)], timeout=5)
    assert all(at >= number / 200 - 0.001 for number, at in enumerate(came_in_at))


def test_without_a_rate_all_come_in_together(entrance):
    users = entering(entrance, 1000)
    entrance.open(rate=None)
    gevent.sleep(0)
    gevent.joinall(users, timeout=0.02)
    assert entrance.users == 1000


def test_who_is_stopped_on_the_way_in_was_never_inside_and_who_leaves_is_not_counted(entrance):
    entrance.open(rate=10)
    first, second = entering(entrance, 2)
    gevent.sleep(0.01)
    second.kill()
    for user in (0, 1):
        entrance.leave(user)
    assert first.dead
    assert entrance.users == 0


def test_after_a_reset_the_next_run_waits_for_its_own_stage(entrance):
    entrance.open(rate=None)
    entrance.reset()
    [user] = entering(entrance, 1)
    gevent.sleep(0.01)
    assert not user.dead
    user.kill()
