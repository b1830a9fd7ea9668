"""Partition: when nothing reaches a backend any more, a timeout of requests is lost, and the others take its share."""

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser

__all__ = ["ModelsUser", "Partition"]


class Partition(ScenarioShape):
    """The stages of `scenarios/partition.toml`."""

    name = "partition"
