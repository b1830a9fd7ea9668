"""Unhealthy: a backend that is found unhealthy keeps its share, for neither Compose nor nginx acts on that."""

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser

__all__ = ["ModelsUser", "Unhealthy"]


class Unhealthy(ScenarioShape):
    """The stages of `scenarios/unhealthy.toml`."""

    name = "unhealthy"
