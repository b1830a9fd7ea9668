"""Sustained: the configured split holds over fifty thousand requests, and no request is lost."""

from locustfiles.generator.shape import ScenarioShape
from locustfiles.generator.user import TargetUser

__all__ = ["Sustained", "TargetUser"]


class Sustained(ScenarioShape):
    """The stages of `scenarios/sustained.toml`."""

    name = "sustained"
