"""Sustained: the configured split holds over fifty thousand requests, and no request is lost."""

from locustfiles.generator.shape import ScenarioShape
from locustfiles.generator.user import ModelsUser

__all__ = ["ModelsUser", "Sustained"]


class Sustained(ScenarioShape):
    """The stages of `scenarios/sustained.toml`."""

    name = "sustained"
