"""Graceful stop: when a backend is stopped in order, no request is lost; the others share its part, and it returns."""

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser

__all__ = ["GracefulStop", "ModelsUser"]


class GracefulStop(ScenarioShape):
    """The stages of `scenarios/graceful-stop.toml`."""

    name = "graceful-stop"
