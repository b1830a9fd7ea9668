"""What every stack can do, whatever it is made of."""

import fcntl
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

from scenarios.errors import UsageError
from scenarios.fault import Fault, Kind
from scenarios.ledgers import Resource
from scenarios.stack_record import StackRecord, Standing

PROJECT = Path(__file__).parent.parent.parent
STATE = PROJECT / ".stack"


@dataclass(frozen=True)
class ServiceState:
    """One service as `status` shows it."""

    name: str
    address: str  # empty when it has none on this machine
    text: str


@dataclass(frozen=True)
class Site:
    """Where Locust's web interface is to be found: the IP address of this machine that it listens on, and the port."""

    host: str
    port: int

    @property
    def address(self) -> str:
        """Host and port, as in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """What a person of this machine types."""
        return f"http://127.0.0.1:{self.port}/" if ip_address(self.host).is_unspecified else f"http://{self.address}/"

    @property
    def is_open(self) -> bool:
        """Whether others than this machine can reach it."""
        return not ip_address(self.host).is_loopback


class Meter(Protocol):
    """Looks at what the services of a stack use, again and again, from `start` to `stop`."""

    def start(self, emit: Callable[[Resource], None]) -> None:
        """Begin to give samples to `emit`, from threads of the meter's own."""

    def stop(self) -> None:
        """Give a last sample of every service and end. Raises `MeterFault` when samples are missing."""


class Breaker(Protocol):
    """Breaks a stack that is up, on purpose, and mends it. One for a run."""

    kinds: frozenset[Kind]  # that are possible on its stack

    def strike(self, fault: Fault) -> str:
        """Do it, and return when it is done, with what was seen of it.

        Raises `UsageError` when it cannot be done, or a backend does not come back.
        """

    def mend(self) -> None:
        """Make everything well that is amiss by what was done. Raises `UsageError` when that is not possible."""

    def renew(self) -> None:
        """Let the balancer begin its cycle anew. Raises `UsageError` when it does not."""

    def frozen(self, whom: str) -> AbstractContextManager[None]:
        """A backend that does nothing while the body runs, and goes on afterwards, whatever ended the body.

        Its connections stay, and the kernel takes new ones for it. The body is to be short: an interruption waits for
        its end. Raises `UsageError` when the backend does not run.
        """


class MeterFault(Exception):
    """Resources could not be sampled to the end. The message says why."""


class Stack(Protocol):
    """A system under test that can be started, driven, looked at and stopped."""

    name: str
    port_offset: int
    directory: Path  # where it keeps what it has to remember

    @property
    def url(self) -> str:
        """The balancer's address for a person on this machine."""

    @property
    def target(self) -> str:
        """The balancer's address for Locust on this stack."""

    def reserved(self) -> AbstractContextManager[object]:
        """Keep the stack for one command, which nobody else's may disturb. Raises `UsageError` when it is taken."""

    def is_up(self) -> bool:
        """Whether every service is there and healthy."""

    def start(self) -> bool:
        """Start what does not run yet, to stay. Returns whether there was anything to start.

        Raises `UsageError` when it does not get healthy; nothing new is left running then.
        """

    def stop(self) -> list[str]:
        """Stop what runs. Returns the names of what was stopped."""

    def up(self) -> AbstractContextManager[bool]:
        """The stack, running; what was not up before is stopped afterwards. Gives whether it was started for this."""

    def states(self) -> list[ServiceState]:
        """What runs."""

    def logs(self) -> Iterator[tuple[str, str]]:
        """Every log's name and last lines."""

    def backends(self) -> dict[str, str]:
        """The URL of every backend on this machine, by the name that the configuration has for it."""

    def standing(self) -> Standing:
        """The balancer's workers and configuration. Raises `UsageError` when it is gone."""

    def claimed_conf(self) -> str:
        """The nginx configuration that is being served, as it was written."""

    def record(self) -> StackRecord:
        """What the stack claims about itself."""

    def meter(self) -> Meter:
        """What looks at its resources."""

    def breaker(self) -> Breaker:
        """What breaks it."""

    def require_open_files(self, users: int) -> None:
        """Raise `UsageError` when so many users need more open files than their processes may have."""

    def settle(self) -> None:
        """Wait until the health of services that were just started is known to whoever looks after it."""

    def require_room(self, requests: int) -> None:
        """Raise `UsageError` when the stack, which is up, cannot take note of so many requests."""

    def logged_bytes(self) -> int:
        """How long the balancer's log of requests is."""

    def logged(self, start: int) -> Iterator[bytes]:
        """What the balancer's log has from byte `start` on, part by part. Raises `UsageError` when it is gone."""

    @property
    def sees_addresses(self) -> bool:
        """Whether the balancer sees from which address of this machine it is asked."""

    def seen_by_locust(self, path: Path, reports: Path) -> str:
        """Where Locust on this stack finds a file of the project or of the reports."""

    def start_locust(self, arguments: list[str], reports: Path, site: Site | None = None) -> subprocess.Popen[bytes]:
        """Start Locust with these arguments, in a session of its own: Ctrl-C is passed on to it, once.

        With a site it has its web interface at this address, and its standard input and output are pipes.
        """

    def tell_locust(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """Send a signal to the Locust that was started."""


def directory_of(stack: str, port_offset: int, state: Path = STATE) -> Path:
    """Where a stack keeps what it has to remember; its lock lies beside it."""
    return state / (stack if port_offset == 0 else f"{stack}+{port_offset}")


@contextmanager
def reserved(lock_path: Path, name: str) -> Iterator[int]:
    """Hold a lock for as long as the body takes. Yields its file: a process that inherits it holds the lock too."""
    lock_path.parent.mkdir(parents=True, exist_ok=True)
    with lock_path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another command is using the {name} stack: wait for it to end") from None
        yield lock.fileno()
