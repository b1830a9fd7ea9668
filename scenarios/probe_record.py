"""What a fingerprint was taken of, and how: the words that prober and analysis share."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

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
    weights: dict[str, int]
    configured: tuple[Algorithm, ...]
    frozen: str
    left_out: dict[Phase, str]  # and why
    strangers: int
