"""The kinds of fault. Each declares here once what it does; stacks, analysis and documents read it."""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Self


class MayLose(Enum):
    """Which requests a fault may cost."""

    NOTHING = auto()
    IN_FLIGHT_ON_BACKEND = auto()
    IN_FLIGHT = auto()  # anywhere: a worker of the balancer takes its part of them with it
    WAITING = auto()  # one for each user, who waits for the timeout, and one for each later probe
    EVERY_REQUEST = auto()  # that its backend is asked


class Notice(Enum):
    """When passive checks notice a fault: the balancer learns of it only from the requests that it sends."""

    NEVER = auto()
    WITHOUT_LIMIT = auto()  # with the next request that is refused, if there is one before all is well again
    AT_ONCE = auto()  # the kernel refuses every connection from then on
    AFTER_READ_TIMEOUT = auto()
    AFTER_BOTH_TIMEOUTS = auto()  # for connecting and for reading


@dataclass(frozen=True)
class Effect:
    """What a kind of fault does, and how the documents say it."""

    done: str  # in a title: "back-02 was …"
    leaves: str = ""  # the state of a backend until its cure: "back-02 …"; empty where there is none
    cured_by: str = ""  # the kind that ends that state
    may_lose: MayLose = MayLose.NOTHING
    notice: Notice = Notice.NEVER
    ends_process: bool = False  # of the backend: its counters begin anew
    remedy: str = ""  # for what passive checks never notice

    @property
    def is_noticed(self) -> bool:
        """Whether passive checks can notice it."""
        return self.notice is not Notice.NEVER

    @property
    def keeps_waiting(self) -> bool:
        """Whether a request to the backend waits for a timeout instead of being refused."""
        return self.notice in (Notice.AFTER_READ_TIMEOUT, Notice.AFTER_BOTH_TIMEOUTS)


class FaultKind(StrEnum):
    """A kind of fault. Its value is the word for it in scenario files and in `faults.csv`."""

    effect: Effect

    def __new__(cls, word: str, effect: Effect) -> Self:
        """A kind with the word for it and its effect."""
        kind = str.__new__(cls, word)
        kind._value_ = word
        kind.effect = effect
        return kind

    KILL = (  # SIGKILL: it ends at once
        "kill",
        Effect(
            done="killed",
            leaves="is down",
            cured_by="start",
            may_lose=MayLose.IN_FLIGHT_ON_BACKEND,
            notice=Notice.AT_ONCE,
            ends_process=True,
        ),
    )
    STOP = (  # SIGTERM: it ends when it has answered what it has
        "stop",
        Effect(
            done="stopped",
            leaves="is down",
            cured_by="start",
            notice=Notice.WITHOUT_LIMIT,
            ends_process=True,
        ),
    )
    START = "start", Effect(done="started again")
    RESTART = (  # SIGTERM, and a new process
        "restart",
        Effect(done="restarted", notice=Notice.WITHOUT_LIMIT, ends_process=True),
    )
    NEW_ADDRESS = (  # a restart, after which it has another address
        "new-address",
        Effect(done="given another address", notice=Notice.WITHOUT_LIMIT, ends_process=True),
    )
    HANG = (  # it stands still, and its connections stay
        "hang",
        Effect(
            done="made to hang",
            leaves="hangs",
            cured_by="resume",
            may_lose=MayLose.WAITING,
            notice=Notice.AFTER_READ_TIMEOUT,
        ),
    )
    DROP_PACKETS = (  # all that is sent to it is lost
        "drop-packets",
        Effect(
            done="cut off",
            leaves="cannot be reached",
            cured_by="resume",
            may_lose=MayLose.WAITING,
            notice=Notice.AFTER_BOTH_TIMEOUTS,
        ),
    )
    FAIL = (  # it answers each request with 503, but for its health check and counters
        "fail",
        Effect(
            done="made to answer 503",
            leaves="answers each request with 503",
            cured_by="resume",
            may_lose=MayLose.EVERY_REQUEST,
            remedy="Active health checks would detect it. proxy_next_upstream with http_503 and non_idempotent is no "
            "remedy: it sends a request again that may have been processed.",
        ),
    )
    UNHEALTHY = (  # and nothing else fails
        "unhealthy",
        Effect(
            done="made to fail its health check",
            leaves="fails its health check",
            cured_by="resume",
            remedy="Active health checks would detect it, or an orchestrator that replaces a container which Docker "
            "calls unhealthy.",
        ),
    )
    LIMIT_CPU = (
        "limit-cpu",
        Effect(
            done="given little CPU",
            leaves="has less CPU than it needs",
            cured_by="resume",
            remedy="Active health checks with a short timeout would detect it, or a method that looks at how long "
            "answers take.",
        ),
    )
    RESUME = "resume", Effect(done="made well again")
    RELOAD_NGINX = "reload-nginx", Effect(done="reloaded")
    KILL_NGINX_WORKER = "kill-nginx-worker", Effect(done="robbed of a worker", may_lose=MayLose.IN_FLIGHT)

    @classmethod
    def of(cls, word: str) -> Self:
        """The kind with this word for it. Raises `ValueError` when there is none."""
        for kind in cls:
            if kind.value == word:
                return kind
        raise ValueError(f"{word!r} is no kind of fault; there are {', '.join(cls)}")

    @property
    def is_of_balancer(self) -> bool:
        """Whether it is done to the balancer, and to no backend."""
        return self in (FaultKind.RELOAD_NGINX, FaultKind.KILL_NGINX_WORKER)

    @property
    def is_cure(self) -> bool:
        """Whether it ends the state that another kind leaves."""
        return any(kind.effect.cured_by == self.value for kind in FaultKind)

    @property
    def is_passing(self) -> bool:
        """Whether it is over when it is done."""
        return not self.effect.cured_by and not self.is_cure

    @property
    def is_hidden(self) -> bool:
        """Whether it leaves a backend in a state that passive checks never notice."""
        return bool(self.effect.cured_by) and not self.effect.is_noticed
