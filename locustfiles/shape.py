"""The shape of every scenario: users follow the stages of its TOML file, requests are exactly those it asks for."""

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from locust import LoadTestShape, events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from locustfiles import options
from locustfiles.attendant import leave_to_the_leader
from locustfiles.driver import Driver
from locustfiles.entrance import Entrance
from locustfiles.gate import Gate
from locustfiles.http import Server
from locustfiles.leader import REFUSED, Leader
from locustfiles.spacing import Spacing
from locustfiles.web.site import Site
from scenarios.definition import Scenario
from scenarios.errors import UsageError


class ScenarioShape(LoadTestShape):
    """Give the `name` of a scenario in a subclass; everything else follows, under every way to start Locust.

    In a master or a single process it has a leader, in a worker or a single process a driver.
    """

    abstract = True
    name: ClassVar[str]
    _leader: Leader
    _driver: Driver

    def scenario(self) -> Scenario:
        """The scenario of this shape. Raises `UsageError` when its file breaks a rule."""
        return Scenario.load(self.name)

    def choices(self) -> Mapping[str, Scenario]:
        """The scenarios that can be chosen, by name; none where the shape is of one."""
        return {}

    def attach(self, environment: Environment) -> None:
        """Take part in this environment. Raises `UsageError` when what was asked for is not possible."""
        if isinstance(environment.runner, WorkerRunner):
            leave_to_the_leader(environment)
        if not isinstance(environment.runner, MasterRunner):  # first, so that its last rows reach a run that still is
            self._driver = Driver(environment)
        if not isinstance(environment.runner, WorkerRunner):
            self._leader = Leader(environment, self.scenario)
            environment.events.test_stopping.add_listener(self._leader.halt)  # first: nothing more is to be sent
            if environment.web_ui is not None:
                Site(environment, self._leader, self.choices())
        if not isinstance(environment.runner, MasterRunner):
            environment.events.test_stopping.add_listener(self._driver.let_answers_come)

    @property
    def entrance(self) -> Entrance:
        """Where the users of this process come in."""
        return self._driver.entrance

    @property
    def pace(self) -> Spacing:
        """What the users of this process wait for before each request, where their stage has a most per second."""
        return self._driver.pace

    @property
    def gate(self) -> Gate:
        """Where the users of this process wait for their turn."""
        return self._driver.gate

    @property
    def server(self) -> Server:
        """Where the users of this process send their requests."""
        return self._driver.server

    def tick(self) -> tuple[int, float] | None:
        """Users and spawn rate wanted now; None ends the run."""
        return self._leader.tick()


events.init_command_line_parser.add_listener(options.declare)


@events.init.add_listener
def _attach(environment: Environment, **_: Any) -> None:
    if isinstance(environment.shape_class, ScenarioShape):
        try:
            environment.shape_class.attach(environment)
        except UsageError as error:
            print(f"locust: {error}", file=sys.stderr)
            sys.exit(REFUSED)
