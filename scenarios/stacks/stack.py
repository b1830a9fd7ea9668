"""What every stack can do, whether its services are processes or containers."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

from scenarios.formats.rows import Resource
from scenarios.formats.stack_record import BalancerState, StackRecord
from scenarios.spec.fault import Fault
from scenarios.spec.fault_kind import FaultKind

PROJECT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class ServiceState:
    """One service as `status` shows it."""

    name: str
    address: str  # empty when it has none on this machine
    text: str


@dataclass(frozen=True)
class WebAddress:
    """The address of Locust's web interface: an IP address of this machine, and a port."""

    host: str
    port: int

    @property
    def address(self) -> str:
        """Host and port, as in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL to type on this machine."""
        return f"http://127.0.0.1:{self.port}/" if ip_address(self.host).is_unspecified else f"http://{self.address}/"

    @property
    def is_open(self) -> bool:
        """Whether other machines can reach it."""
        return not ip_address(self.host).is_loopback


class MeterFault(Exception):
    """The meter could not sample resources to the end. The message says why."""


class Meter(Protocol):
    """Samples what the services of a stack use, from `start` to `stop`."""

    def start(self, emit: Callable[[Resource], None]) -> None:
        """Begin to give samples to `emit`, from threads of the meter's own."""

    def stop(self) -> None:
        """Give a last sample of every service and end. Raises `MeterFault` when samples are missing."""


class FaultActions(Protocol):
    """Applies faults to a stack that is up, and undoes them. A run has one of its own."""

    @property
    def kinds(self) -> frozenset[FaultKind]:
        """The kinds of fault that are possible on this stack."""

    def apply(self, fault: Fault) -> str:
        """Apply a fault, wait until it is done, and return details: processes, addresses, times.

        Raises `UsageError` when the fault cannot be applied, or when a backend does not come back.
        """

    def undo_all(self) -> None:
        """Cure everything that is still broken. Raises `UsageError` when that is not possible."""

    def reload_balancer(self) -> None:
        """Reload the balancer, so that it begins its cycle anew. Raises `UsageError` when it does not."""

    def paused(self, backend: str) -> AbstractContextManager[None]:
        """Pause a backend while the body runs; it goes on afterwards, whatever ended the body.

        Its connections stay, and the kernel accepts new ones for it. Keep the body short: an interruption waits until
        it has ended. Raises `UsageError` when the backend does not run.
        """


class Stack(Protocol):
    """A system under test: a balancer and its backends. A run starts, drives, observes and stops it."""

    name: str
    port_offset: int
    directory: Path  # for what the stack keeps between two commands

    @property
    def url(self) -> str:
        """The balancer's address for a person on this machine."""

    @property
    def target(self) -> str:
        """The balancer's address for Locust on this stack."""

    def locked(self) -> AbstractContextManager[object]:
        """Keep other commands from using the stack. Raises `UsageError` when another command uses it now."""

    def is_up(self) -> bool:
        """Whether every service runs and is healthy."""

    def start(self) -> bool:
        """Start the services that do not run yet, to stay up. Returns whether it started any.

        Raises `UsageError` when a service does not become healthy; then it leaves nothing new running.
        """

    def stop(self) -> list[str]:
        """Stop all services. Returns the names of those that it stopped."""

    def up(self) -> AbstractContextManager[bool]:
        """Have the stack up while the body runs, and stop it afterwards if it was not up before.

        Gives whether the stack was started for the body.
        """

    def states(self) -> list[ServiceState]:
        """The state of every service."""

    def logs(self) -> Iterator[tuple[str, str]]:
        """The name and the last lines of every log."""

    def backends(self) -> dict[str, str]:
        """The URL of every backend on this machine, by its name in the configuration."""

    def balancer_state(self) -> BalancerState:
        """The balancer's workers and configuration. Raises `UsageError` when the balancer is gone."""

    def balancer_conf(self) -> str:
        """The text of the configuration that the balancer was started with."""

    def record(self) -> StackRecord:
        """What the stack claims about itself."""

    def meter(self) -> Meter:
        """A meter of the resources that its services use."""

    def fault_actions(self) -> FaultActions:
        """The faults that can be applied to it."""

    def require_open_files(self, users: int) -> None:
        """Raise `UsageError` when so many users need more open files than the processes may have."""

    def wait_for_health_checks(self) -> None:
        """Wait until every service that was just started had its first health check."""

    def require_log_space(self, requests: int) -> None:
        """Raise `UsageError` when the balancer's log of requests has no room for so many more."""

    def access_log_bytes(self) -> int:
        """The length of the balancer's log of requests, in bytes."""

    def access_log(self, start: int) -> Iterator[bytes]:
        """The balancer's log of requests from byte `start` on, part by part. Raises `UsageError` when it is gone."""

    @property
    def sees_client_addresses(self) -> bool:
        """Whether the balancer sees from which address of this machine a request comes."""

    def path_for_locust(self, path: Path, reports: Path) -> str:
        """The path under which Locust on this stack finds a file of the project or of the reports."""

    def start_locust(
        self, arguments: list[str], reports: Path, site: WebAddress | None = None
    ) -> subprocess.Popen[bytes]:
        """Start Locust with these arguments, in a session of its own: the runner passes Ctrl-C on to it, once.

        With a site, Locust serves its web interface there, and its standard input and output are pipes.
        """

    def signal_locust(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """Send a signal to the Locust that `start_locust` started."""
