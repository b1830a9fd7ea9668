"""Baseline: a hundred users get the configured split, exactly, and no request is lost."""

from locustfiles.generator.shape import ScenarioShape
from locustfiles.generator.user import TargetUser

__all__ = ["Baseline", "TargetUser"]


class Baseline(ScenarioShape):
    """The stages of `scenarios/baseline.toml`."""

    name = "baseline"
