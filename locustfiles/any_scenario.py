"""Any scenario: the one that is chosen on the command line, or in the form of the web interface."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from locust import events
from locust.argument_parser import LocustArgumentParser

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser
from scenarios.definition import Scenario, names

__all__ = ["AnyScenario", "ModelsUser"]


BY_SIZE = sorted(map(Scenario.load, names()), key=lambda scenario: scenario.requests)
SCENARIOS = MappingProxyType({scenario.name: scenario for scenario in BY_SIZE})  # as they are when Locust starts


class AnyScenario(ScenarioShape):
    """The stages of the scenario that is chosen."""

    def scenario(self) -> Scenario:
        """The one that is chosen now."""
        assert self.runner is not None
        options: Any = self.runner.environment.parsed_options
        return SCENARIOS[options.scenario]

    def choices(self) -> Mapping[str, Scenario]:
        """All of them, by name, the smallest first."""
        return SCENARIOS


@events.init_command_line_parser.add_listener
def _declare(parser: LocustArgumentParser, **_: Any) -> None:
    parser.add_argument(
        "--scenario",
        env_var="LOCUST_SCENARIO",
        choices=list(SCENARIOS),
        default=BY_SIZE[0].name,
        help="the load, and what is claimed of it",
    )
