"""What the stack of a run claims about itself: `stack.json` in the report directory."""

from pydantic import BaseModel

STACK = "stack.json"


class Limits(BaseModel):
    """What a service may use. 0 means that there is no limit."""

    cpus: float = 0.0
    memory_bytes: int = 0
    swap_bytes: int = 0  # besides memory; here 0 means none, and -1 that there is no limit
    pids: int = 0


class Standing(BaseModel):
    """What must not change while a balancer is looked at: its worker processes, and the configuration that it serves.

    A reload or a restart gives it other workers.
    """

    workers: list[int]
    configuration: str  # its SHA-256


class Patience(BaseModel):
    """How long the balancer waits for a backend, and for how long it leaves one alone that has failed."""

    max_fails: int  # failures, each within `fail_timeout_s` of the one before, after which it does
    fail_timeout_s: float
    connect_timeout_s: float
    read_timeout_s: float  # between two parts of an answer


class StackRecord(BaseModel):
    """The services that should run, with the limits written for them, and what they are made of.

    `enforces` tells whether this kind of stack has limits, health checks and restarts at all. Where it has none, what
    is claimed about them can neither hold nor break.
    """

    name: str
    enforces: bool
    services: dict[str, Limits]
    versions: dict[str, str]
    images: dict[str, str] = {}
    patience: Patience | None = None  # none where there was no configuration to be read
    before: Standing | None = None  # the run; none where there was no balancer to be asked
    after: Standing | None = None
