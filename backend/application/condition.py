"""How a replica is, as far as that can be ordered from outside."""

from dataclasses import dataclass


class OutOfOrder(Exception):
    """The replica was put into a fault and creates nothing."""


@dataclass(slots=True)
class Condition:
    """The faults that a replica was put into, so that it can be seen what a balancer makes of them.

    They are independent: one that creates nothing may look healthy, and one that looks ill may work.
    """

    creates_models: bool = True
    looks_healthy: bool = True

    def stop_creating(self) -> None:
        """From now on refuse every model."""
        self.creates_models = False

    def look_ill(self) -> None:
        """From now on fail the health check, and work on."""
        self.looks_healthy = False

    def recover(self) -> None:
        """All is well again."""
        self.creates_models = self.looks_healthy = True
