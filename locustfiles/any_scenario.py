"""Any scenario: the one that is chosen on the command line, or in the form of the web interface."""

from typing import Any

from locust import events
from locust.argument_parser import LocustArgumentParser

from locustfiles.generator.shape import ScenarioShape
from locustfiles.generator.user import TargetUser
from scenarios.spec.scenario import Scenario, names

__all__ = ["AnyScenario", "TargetUser"]

FIRST_CHOICE = "baseline"


class AnyScenario(ScenarioShape):
    """The stages of the scenario that is chosen. No other scenario file is read for it."""

    def scenario(self) -> Scenario:
        """The scenario that is chosen now. Raises `UsageError` when its file breaks a rule."""
        assert self.runner is not None
        options: Any = self.runner.environment.parsed_options
        return Scenario.load(options.scenario)

    def choices(self) -> list[str]:
        """The names of all scenarios."""
        return names()


@events.init_command_line_parser.add_listener
def _declare(parser: LocustArgumentParser, **_: Any) -> None:
    parser.add_argument(
        "--scenario",
        env_var="LOCUST_SCENARIO",
        choices=names(),
        default=FIRST_CHOICE,
        help="the load, and what is claimed of it",
    )
