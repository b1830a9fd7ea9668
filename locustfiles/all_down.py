"""All down: when every backend is killed the balancer says so at once, and is back soon after the first of them."""

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser

__all__ = ["AllDown", "ModelsUser"]


class AllDown(ScenarioShape):
    """The stages of `scenarios/all-down.toml`."""

    name = "all-down"
