"""High concurrency: five thousand users at a time get the configured split, exactly, and no request is lost."""

from locustfiles.generator.shape import ScenarioShape
from locustfiles.generator.user import TargetUser

__all__ = ["HighConcurrency", "TargetUser"]


class HighConcurrency(ScenarioShape):
    """The stages of `scenarios/high-concurrency.toml`."""

    name = "high-concurrency"
