"""The record of a fingerprint: what it was taken of, and how."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from scenarios.spec.balancer import Algorithm
from scenarios.spec.target import Target

RECORD = "probe.json"


class Phase(StrEnum):
    """The parts of a probe, in their order."""

    SETTLING = "settling"  # as the next: it uses up what a slow backend left in the balancer's state
    SEQUENTIAL = "sequential"  # one after the other, from one address
    ADDRESSES = "addresses"  # the same from several addresses, several times from each
    SLOWED = "slowed"  # one after the other while a backend is paused; the prober does not wait for that one's answers


class ProbeRecord(BaseModel):
    """Written last: a directory without it holds a probe that was cut off.

    `configured` is the algorithm of the configuration: several where they are the same with these settings, none where
    a fingerprint cannot tell it apart. `foreign` counts requests of other clients that were balanced meanwhile.
    """

    model_config = ConfigDict(frozen=True)

    stack: str
    target: Target = Target()
    weights: Annotated[dict[str, Annotated[int, Field(ge=1)]], Field(min_length=1)]
    configured: tuple[Algorithm, ...]
    paused: str  # the backend of the slowed phase
    left_out: dict[Phase, str]  # and why
    foreign: int

    @model_validator(mode="after")
    def _paused_has_a_weight(self) -> Self:
        if self.paused not in self.weights:
            raise ValueError(f"{self.paused} has no weight")
        return self
