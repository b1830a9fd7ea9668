"""The claims of a run's stack about itself: `stack.json` in the report directory."""

from pydantic import BaseModel

from scenarios.spec.patience import Patience

STACK = "stack.json"


class Limits(BaseModel):
    """The limits of a service. 0 means that there is none."""

    cpus: float = 0.0
    memory_bytes: int = 0
    swap_bytes: int = 0  # besides memory; here 0 means no swap, and -1 no limit
    pids: int = 0


class BalancerState(BaseModel):
    """What must not change during a run: the balancer's worker processes, and the configuration that it serves.

    A reload or a restart gives it other workers.
    """

    workers: list[int]
    configuration: str  # its SHA-256


class StackRecord(BaseModel):
    """The services that should run, with their limits, versions and images.

    `enforces` says whether this kind of stack has limits, health checks and restarts at all. Where it has none, a claim
    about them can neither hold nor break.
    """

    name: str
    enforces: bool
    services: dict[str, Limits]
    versions: dict[str, str]
    images: dict[str, str] = {}
    patience: Patience | None = None  # none where there was no configuration to read
    before: BalancerState | None = None  # the run; none where the balancer could not be asked
    after: BalancerState | None = None
