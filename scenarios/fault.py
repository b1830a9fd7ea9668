"""A fault: what is done to the stack in the middle of a run, to whom, and when. A part of a scenario file."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from scenarios.strict import Definition, Limit, Name

Backend = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class Kind(StrEnum):
    """What can be done. All but the last two are done to a backend."""

    KILL = "kill"  # at once: SIGKILL
    STOP = "stop"  # gracefully: SIGTERM, and it ends when it has answered what it has
    START = "start"  # what was killed or stopped
    RESTART = "restart"  # gracefully
    NEW_ADDRESS = "new-address"  # a restart, after which it has another address
    HANG = "hang"  # it stands still, and its connections stay
    DROP_PACKETS = "drop-packets"  # whatever is sent to it is lost
    FAIL = "fail"  # it answers each POST with 503
    UNHEALTHY = "unhealthy"  # its health check fails, and nothing else does
    LIMIT_CPU = "limit-cpu"  # it gets less than it has
    RESUME = "resume"  # whatever of the last five is amiss is well again
    RELOAD_NGINX = "reload-nginx"
    KILL_NGINX_WORKER = "kill-nginx-worker"


OF_NGINX = {Kind.RELOAD_NGINX, Kind.KILL_NGINX_WORKER}
RUNS, DOWN = "runs", "is down"
BECOMES = {
    Kind.KILL: DOWN,
    Kind.STOP: DOWN,
    Kind.START: RUNS,
    Kind.RESTART: RUNS,
    Kind.NEW_ADDRESS: RUNS,
    Kind.HANG: "hangs",
    Kind.DROP_PACKETS: "cannot be reached",
    Kind.FAIL: "answers 503",
    Kind.UNHEALTHY: "is unhealthy",
    Kind.LIMIT_CPU: "has little CPU",
    Kind.RESUME: RUNS,
}


class Fault(Definition):
    """One thing that is done, when so many requests of a stage have come to their end, or so long after its first."""

    what: Annotated[Kind, Field(strict=False)]
    whom: Backend | None = None
    stage: Name
    after_requests: Annotated[int, Field(ge=1)] | None = None
    after_s: Limit | None = None
    cpus: Limit | None = None

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        if (self.whom is None) != (self.what in OF_NGINX):
            raise ValueError(
                f"{self.what} is done to {'nginx: leave whom out' if self.whom else 'a backend: give whom'}"
            )
        if (self.after_requests is None) == (self.after_s is None):
            raise ValueError(f"{self.text} needs one moment: after_requests or after_s")
        if (self.cpus is None) != (self.what is not Kind.LIMIT_CPU):
            raise ValueError(f"{self.text}: cpus is for limit-cpu, which needs it")
        return self

    @property
    def text(self) -> str:
        """What and whom."""
        return f"{self.what} {self.whom}" if self.whom else str(self.what)

    @property
    def moment(self) -> str:
        """When."""
        if self.after_requests is not None:
            return f"after {self.after_requests:,} requests of stage {self.stage}"
        return f"{self.after_s:g} s into stage {self.stage}"

    @property
    def is_sudden(self) -> bool:
        """Whether requests can be lost by it that were on their way."""
        return self.what in (Kind.KILL, Kind.HANG, Kind.DROP_PACKETS, Kind.KILL_NGINX_WORKER)


def require_no_contradiction(faults: Iterable[Fault]) -> None:
    """Raise `ValueError` when one of these, in their order, is done to a backend that is not fit for it."""
    state: dict[str, str] = {}
    for fault in faults:
        if fault.whom is None:
            continue
        now = state.get(fault.whom, RUNS)
        if not _fits(fault.what, now):
            raise ValueError(f"{fault.text}, {fault.moment}: by then {fault.whom} {now}")
        state[fault.whom] = BECOMES[fault.what]


def _fits(what: Kind, now: str) -> bool:
    """Whether this can be done to a backend in this state."""
    match what:
        case Kind.START:
            return now == DOWN
        case Kind.RESUME:
            return now not in (RUNS, DOWN)
        case _:
            return now == RUNS
