"""Starved: a backend that gets too little CPU keeps its share, exactly, and keeps its clients waiting for it."""

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser

__all__ = ["ModelsUser", "Starved"]


class Starved(ScenarioShape):
    """The stages of `scenarios/starved.toml`."""

    name = "starved"
