"""Locust's own clients with nothing around them, for `make bench`: so many requests, and the end.

`locust -f locustfiles/bench/stock_clients.py FastHttpStock --requests 20000`
"""

from typing import Any

import gevent
from locust import FastHttpUser, HttpUser, User, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from scenarios.spec.scenario import Scenario

NOBODY_LEFT_S = 1e6
TARGET = Scenario.load("baseline").target  # what the user of this project asks beside them
CONTENT, HEADERS = TARGET.content or None, TARGET.content_headers  # once: a client pays only for its own work


@events.init_command_line_parser.add_listener
def _declare(parser: LocustArgumentParser, **_: Any) -> None:
    parser.add_argument("--requests", type=int, default=1000, help="send this many")


class Allowance:
    """How many requests the users of this process may still send, and be answered."""

    def __init__(self, environment: Environment) -> None:
        assert environment.parsed_options is not None
        self._environment = environment
        self._to_send = self._to_come = int(environment.parsed_options.requests)

    def take(self) -> None:
        """Wait for ever when there is nothing left to send."""
        if not self._to_send:
            gevent.sleep(NOBODY_LEFT_S)
        self._to_send -= 1

    def done(self) -> None:
        """End the run with the last answer."""
        self._to_come -= 1
        if not self._to_come:
            assert self._environment.runner is not None
            gevent.spawn(self._environment.runner.quit)


@events.init.add_listener
def _allow(environment: Environment, **_: Any) -> None:
    environment.allowance = Allowance(environment)  # type: ignore[attr-defined]


class _Stock(User):
    abstract = True
    client: Any

    @task
    def ask(self) -> None:
        """Send one request."""
        allowance = self.environment.allowance
        allowance.take()
        self.client.request(TARGET.method, TARGET.path, data=CONTENT, headers=HEADERS)
        allowance.done()


class FastHttpStock(_Stock, FastHttpUser):
    """Locust's client on geventhttpclient."""


class HttpStock(_Stock, HttpUser):
    """Locust's client on requests."""
