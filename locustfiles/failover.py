"""Failover: when a backend is killed, only what it had in flight is lost; the others share its part, and it returns."""

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser

__all__ = ["Failover", "ModelsUser"]


class Failover(ScenarioShape):
    """The stages of `scenarios/failover.toml`."""

    name = "failover"
