"""Each attempt of a request has its own time, and attempts that overlap are counted."""

from analysis.faults.timed_attempts import most_at_once, timed_attempts
from scenarios.formats.columns import Column
from tests.builders.broken_run import KILLED_S, broken_run


def test_an_attempt_has_its_own_time_and_is_sent_only_where_there_was_a_connection():
    made = broken_run()
    attempts = timed_attempts(made)
    probes = attempts[~attempts[Column.LAST]]
    assert set(probes[Column.HOST_TAG]) == {"b"}
    assert not probes[Column.SENT].any()
    assert probes[Column.FAILED].all()
    assert len(attempts) == len(made.balancer) + len(probes)


def test_the_most_at_once_are_those_that_overlap():
    attempts = timed_attempts(broken_run())
    assert most_at_once(attempts, 1000 + KILLED_S, 1000 + KILLED_S) == 1
    assert most_at_once(attempts, 2000, 2000) == 0
