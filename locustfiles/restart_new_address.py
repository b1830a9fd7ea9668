"""Restart with a new address: a backend comes back under another address and keeps its share; no request is lost."""

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser

__all__ = ["ModelsUser", "RestartNewAddress"]


class RestartNewAddress(ScenarioShape):
    """The stages of `scenarios/restart-new-address.toml`."""

    name = "restart-new-address"
