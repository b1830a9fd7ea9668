"""Reload: nginx is reloaded ten times under full load, and no request is lost."""

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser

__all__ = ["ModelsUser", "Reload"]


class Reload(ScenarioShape):
    """The stages of `scenarios/reload.toml`."""

    name = "reload"
