"""Brown-out: a backend that answers 503 keeps its share, exactly, for the passive checks of nginx do not see it."""

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser

__all__ = ["BrownOut", "ModelsUser"]


class BrownOut(ScenarioShape):
    """The stages of `scenarios/brown-out.toml`."""

    name = "brown-out"
