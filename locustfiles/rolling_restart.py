"""Rolling restart: every backend is restarted, one after the other, and no request is lost."""

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser

__all__ = ["ModelsUser", "RollingRestart"]


class RollingRestart(ScenarioShape):
    """The stages of `scenarios/rolling-restart.toml`."""

    name = "rolling-restart"
