"""The shape of every scenario: users follow the stages of its TOML file, and send exactly the requests it asks for."""

import sys
from collections.abc import Sequence
from typing import Any, ClassVar

from locust import LoadTestShape, events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from locustfiles.generator import options, signals
from locustfiles.generator.arrivals import Arrivals
from locustfiles.generator.master import REFUSED, Master
from locustfiles.generator.pacing import Pacing
from locustfiles.generator.permits import Permits
from locustfiles.generator.transport.endpoint import Endpoint
from locustfiles.generator.worker import Worker
from locustfiles.web.parent import release_standard_files
from locustfiles.web.site import WebExtension
from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import Scenario
from scenarios.spec.target import Target


class ScenarioShape(LoadTestShape):
    """Follows the stages of the scenario whose `name` a subclass gives, however Locust is started.

    A master has a `Master`, a worker has a `Worker`, and a single process has both.
    """

    abstract = True
    name: ClassVar[str]
    _master: Master
    _worker: Worker

    def scenario(self) -> Scenario:
        """The scenario of this shape. Raises `UsageError` when its file breaks a rule."""
        return Scenario.load(self.name)

    def choices(self) -> Sequence[str]:
        """The names of the scenarios that can be chosen; none where the shape is of one."""
        return ()

    def attach(self, environment: Environment) -> None:
        """Connect to this environment. Raises `UsageError` when the options ask for something impossible."""
        if isinstance(environment.runner, WorkerRunner):
            release_standard_files(environment)
            signals.sigint_to_locust()
        if not isinstance(environment.runner, MasterRunner):  # first: its last rows must reach the run before its end
            self._worker = Worker(environment, self.scenario)
        if not isinstance(environment.runner, WorkerRunner):
            self._master = Master(environment, self.scenario)
            environment.events.test_stopping.add_listener(self._master.on_stopping)  # first: no more may be sent
            if environment.web_ui is not None:
                WebExtension(environment, self._master, self.choices())
        if not isinstance(environment.runner, MasterRunner):
            environment.events.test_stopping.add_listener(self._worker.await_answers)

    @property
    def arrivals(self) -> Arrivals:
        """Where the users of this process enter the run."""
        return self._worker.arrivals

    @property
    def pace(self) -> Pacing:
        """The pace of the requests of this process, where their stage limits the requests per second."""
        return self._worker.pace

    @property
    def permits(self) -> Permits:
        """Where the users of this process get a permit for each request."""
        return self._worker.permits

    @property
    def target(self) -> Target:
        """What the users of this process ask."""
        return self._worker.target

    @property
    def endpoint(self) -> Endpoint:
        """Where the users of this process send their requests."""
        return self._worker.endpoint

    def tick(self) -> tuple[int, float] | None:
        """Users and spawn rate wanted now; None ends the run."""
        return self._master.tick()


signals.end_at_once()  # now, because Locust forks its workers before it fires an event
events.init_command_line_parser.add_listener(options.declare)


@events.init.add_listener
def _attach(environment: Environment, **_: Any) -> None:
    if isinstance(environment.shape_class, ScenarioShape):
        try:
            environment.shape_class.attach(environment)
        except UsageError as error:
            print(f"locust: {error}", file=sys.stderr)
            sys.exit(REFUSED)
