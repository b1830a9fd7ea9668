"""What a fingerprint was taken of, and how: the words that prober and analysis share."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

RECORD = "probe.json"


class Algorithm(StrEnum):
    """The algorithms that a fingerprint can tell apart."""

    SHARED = "weighted round-robin, shared"
    PER_WORKER = "weighted round-robin, per worker"
    RANDOM = "random"
    LEAST_CONNECTIONS = "least connections"
    ADDRESS_HASH = "hash of the client's address"


class Phase(StrEnum):
    """The parts of a probe, in their order."""

    SETTLING = "settling"  # as the next: what a slow backend left behind in the balancer's state is used up
    SEQUENTIAL = "sequential"  # one after the other, from one address
    ADDRESSES = "addresses"  # the same from several addresses, several times from each
    SLOWED = "slowed"  # one after the other while a backend is frozen, whose answers nobody waits for


class ProbeRecord(BaseModel):
    """Written last: a directory without it holds a probe that was cut off.

    `configured` is what the configuration says the balancer does: several where they are one and the same, none where
    it is no algorithm of ours. `strangers` counts requests of others that were balanced meanwhile.
    """

    model_config = ConfigDict(frozen=True)

    stack: str
    weights: Annotated[dict[str, Annotated[int, Field(ge=1)]], Field(min_length=1)]
    configured: tuple[Algorithm, ...]
    frozen: str
    left_out: dict[Phase, str]  # and why
    strangers: int

    @model_validator(mode="after")
    def _frozen_is_one_of_them(self) -> Self:
        if self.frozen not in self.weights:
            raise ValueError(f"{self.frozen} has no weight")
        return self
