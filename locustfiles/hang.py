"""Hang: when a backend stands still, one timeout of requests is lost, then its share goes to the others."""

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser

__all__ = ["Hang", "ModelsUser"]


class Hang(ScenarioShape):
    """The stages of `scenarios/hang.toml`."""

    name = "hang"
