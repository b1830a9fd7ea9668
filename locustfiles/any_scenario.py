"""Any scenario: the one that is chosen on the command line, or in the form of the web interface."""

from typing import Any

from locust import events
from locust.argument_parser import LocustArgumentParser

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser
from scenarios.definition import Scenario, names

__all__ = ["AnyScenario", "ModelsUser"]


class AnyScenario(ScenarioShape):
    """The stages of `scenarios/<chosen>.toml`."""

    def scenario(self) -> Scenario:
        """The scenario that is chosen now. Raises `UsageError` when its file breaks a rule."""
        assert self.runner is not None
        options: Any = self.runner.environment.parsed_options
        return Scenario.load(options.scenario)


@events.init_command_line_parser.add_listener
def _declare(parser: LocustArgumentParser, **_: Any) -> None:
    by_size = sorted(map(Scenario.load, names()), key=lambda scenario: scenario.requests)
    choices = [scenario.name for scenario in by_size]
    parser.add_argument(
        "--scenario",
        env_var="LOCUST_SCENARIO",
        choices=choices,
        default=choices[0],
        help="the load, and what is claimed of it",
    )
