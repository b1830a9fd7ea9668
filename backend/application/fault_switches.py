"""The faults that a test can switch on in a replica."""

from dataclasses import dataclass


class CreationSwitchedOff(Exception):
    """A fault switch keeps the replica from creating models."""


@dataclass(slots=True)
class FaultSwitches:
    """The faults that are on, so that a test can show how a balancer reacts to them.

    The switches are independent: a replica that creates nothing may pass its health check, and one that fails its
    health check may create models.
    """

    creation_fails: bool = False
    health_check_fails: bool = False

    def fail_creation(self) -> None:
        """From now on, refuse every model."""
        self.creation_fails = True

    def fail_health_check(self) -> None:
        """From now on, fail the health check and keep creating models."""
        self.health_check_fails = True

    def clear(self) -> None:
        """Switch every fault off."""
        self.creation_fails = self.health_check_fails = False
