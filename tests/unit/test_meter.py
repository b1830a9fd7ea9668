"""What is made of the engine's answers about a container."""

import pytest

from scenarios.stacks.compose.meter import readings

STOPPED, RUNNING = {"read": "0001-01-01T00:00:00Z"}, {"read": "2026-11-26T07:11:02.341984Z"}


class Engine:
    """One that answers with these statistics, and then with this state."""

    def __init__(self, statistics, *, runs):
        self._statistics, self._runs = statistics, runs

    def stats(self, _container, **_options):
        yield self._statistics

    def inspect_container(self, _container):
        return {"State": {"Running": self._runs}}


@pytest.mark.parametrize(
    ("statistics", "runs", "readings_are"),
    [
        (RUNNING, True, 1),
        (RUNNING, False, 1),  # it has just ended
        (STOPPED, False, 1),
        (STOPPED, True, 0),  # it has just started, and its statistics are of before
        ({}, True, 0),
    ],
)
def test_statistics_of_a_stopped_container_are_none_of_the_one_that_has_started_since(statistics, runs, readings_are):
    assert len(list(readings(Engine(statistics, runs=runs), "id"))) == readings_are
