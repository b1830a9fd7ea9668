"""Spike: the configured split holds through a hundredfold surge, and no request is lost."""

from locustfiles.generator.shape import ScenarioShape
from locustfiles.generator.user import TargetUser

__all__ = ["Spike", "TargetUser"]


class Spike(ScenarioShape):
    """The stages of `scenarios/spike.toml`."""

    name = "spike"
