"""The compose stack: nginx and its backends as containers, with their limits, and Locust beside them."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenarios.cli.console import Console
from scenarios.formats.stack_record import BalancerState, StackRecord
from scenarios.spec.errors import UsageError
from scenarios.stacks.compose import docker_engine, status
from scenarios.stacks.compose.balancer import ComposeBalancer
from scenarios.stacks.compose.cleanup_process import stack_removed_afterwards
from scenarios.stacks.compose.config import host_ports, limits
from scenarios.stacks.compose.containers import Container
from scenarios.stacks.compose.fault_actions import ComposeFaultActions
from scenarios.stacks.compose.images import build, require_current
from scenarios.stacks.compose.locust_container import ComposeLocust, path_in_container
from scenarios.stacks.compose.meter import ComposeMeter
from scenarios.stacks.compose.project import LOCUST, ComposeProject
from scenarios.stacks.fault_actions import BALANCER
from scenarios.stacks.ports import require_free
from scenarios.stacks.stack import ServiceState, WebAddress
from scenarios.stacks.state_directory import directory_of, locked

POLLED_EVERY_S = 0.2
HEALTHY_WITHIN_S = 120  # three checks without an answer, 10 s each and as far apart, and the start before them


class ComposeStack:
    """The services of compose.yaml. A port offset moves their host ports and makes them a project of their own."""

    name = "compose"
    target = "http://nginx:8080"
    sees_client_addresses = False  # all clients of a published port have the address of Docker's network

    def __init__(self, port_offset: int = 0) -> None:
        self.port_offset = port_offset
        self.project = ComposeProject(port_offset)
        self.directory = directory_of(self.name, port_offset)
        self._console = Console(stderr=True)
        self._balancer = ComposeBalancer(self.project)
        self._locust = ComposeLocust(self.project, self._console)

    @property
    def url(self) -> str:
        """The balancer's address on this machine."""
        ports = self.project.container(BALANCER).ports
        return f"http://{ports[0]}" if ports else "nowhere"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands from using the stack. Raises `UsageError` when another command uses it now."""
        with locked(self.directory, self.name) as self._lock:
            yield

    def is_up(self) -> bool:
        """Whether every service has a container, and all of them are healthy."""
        containers = self.project.containers()
        return {container.service for container in containers} >= self.project.of_stack.keys() and all(
            container.is_healthy for container in containers
        )

    def start(self) -> bool:
        """Start or renew the services that are not as compose.yaml and the sources have them. Returns whether any was.

        Raises `UsageError` when a service does not become healthy. Then nothing is left if nothing was there before;
        otherwise the new containers stay, so that their logs can be read.
        """
        before = self.project.containers()
        running = {container.id for container in before if container.is_running}
        self._prepare()
        try:
            self._start_containers()
        except BaseException:
            if not before:
                self.stop()
            raise
        return {container.id for container in self.project.containers()} != running

    def stop(self) -> list[str]:
        """Remove the containers and their network. Returns the names of the services that had a container."""
        stopped = sorted({container.service for container in self.project.containers()})
        self._locust.remove()
        self.project.command("--profile", "*", "down", "--remove-orphans")
        return stopped

    @contextmanager
    def up(self) -> Iterator[bool]:
        """Have the stack up while the body runs, and remove it afterwards if it was not there before.

        Yields whether the stack was started for the body. Raises `UsageError` when it is there, but not healthy, scaled
        or out of date: a run does not change a stack that it has not started.
        """
        self.wait_for_health_checks()
        containers = self.project.containers()
        if containers and self.is_up():
            _require_one_each(containers)
            build(self.project, self._console)
            require_current(self.project, containers)
            yield False
            return
        if containers:
            raise UsageError(
                f"the compose stack is there but not ready ({status.problems(self.project, containers)}): "
                "`make up STACK=compose` mends it, `make down STACK=compose` removes it"
            )
        self._prepare()
        with stack_removed_afterwards(self.directory, self.port_offset, self._lock):
            self._start_containers()
            yield True

    def wait_for_health_checks(self) -> None:
        """Wait while the first health check of a container is still to come, unless another container has failed."""
        deadline = time.monotonic() + HEALTHY_WITHIN_S
        with self._console.working("waiting for the engine to ask for the health of what was started", after_s=1.0):
            while time.monotonic() < deadline:
                containers = self.project.containers()
                may_be_healthy = all(each.is_healthy or each.is_starting for each in containers)
                if not may_be_healthy or not any(each.is_starting for each in containers):
                    return
                time.sleep(POLLED_EVERY_S)

    def _prepare(self) -> None:
        """Do everything that can fail before it touches a container."""
        running = [container for container in self.project.containers() if container.is_running]
        held = {int(port.rpartition(":")[2]) for container in running for port in container.ports}
        require_free({name: port for name, port in host_ports(self.project.of_stack).items() if port not in held})
        build(self.project, self._console, first=min(self.project.of_stack.keys() - {BALANCER}))

    def _start_containers(self) -> None:
        with self._console.working("starting the containers: about a quarter of a minute"):
            try:
                wait = ("--wait", "--wait-timeout", str(HEALTHY_WITHIN_S))
                self.project.command("up", "--detach", *wait)
            except UsageError as error:
                raise UsageError(". ".join(filter(None, [str(error), status.failures(self.project)]))) from error

    def states(self) -> list[ServiceState]:
        """The state of every service."""
        return status.states(self.project)

    def logs(self) -> Iterator[tuple[str, str]]:
        """The name and the last lines of every container. Raises `UsageError` when there are none."""
        return status.logs(self.project)

    def backends(self) -> dict[str, str]:
        """The URL of every backend: its port on this machine."""
        ports = {service: port for service, port in host_ports(self.project.of_stack).items() if service != BALANCER}
        return {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}

    def balancer_state(self) -> BalancerState:
        """The balancer's workers and configuration. Raises `UsageError` when the balancer is gone."""
        return self._balancer.state()

    def balancer_conf(self) -> str:
        """The text of the configuration that the balancer's container was made with."""
        return self._balancer.conf()

    def record(self) -> StackRecord:
        """The limits that compose.yaml claims, and the images of the containers."""
        offered = self.project.client.version()
        return StackRecord(
            name=self.name,
            enforces=True,
            services={name: limits(service) for name, service in self.project.of_stack.items()},
            versions={"engine": offered["Version"], "compose": self.project.version},
            images={container.service: container.image for container in self.project.containers()},
        )

    def meter(self) -> ComposeMeter:
        """A meter of the containers, and of Locust's once it runs."""
        services = {container.id: container.service for container in self.project.containers()}
        return ComposeMeter(docker_engine.connect, services, {self._locust.name: LOCUST})

    def fault_actions(self) -> ComposeFaultActions:
        """The faults that can be applied to the containers."""
        return ComposeFaultActions(self, self.project.client, self.project.container, self._console)

    def require_open_files(self, users: int) -> None:
        """Raise `UsageError` when Locust's container may not open a file per user."""
        self._locust.require_open_files(users)

    def require_log_space(self, requests: int) -> None:
        """Raise `UsageError` when the balancer's log of requests has no room for so many more."""
        self._balancer.require_log_space(requests)

    def access_log_bytes(self) -> int:
        """The length of the balancer's log of requests, in bytes."""
        return self._balancer.access_log_bytes()

    def access_log(self, start: int) -> Iterator[bytes]:
        """The balancer's log of requests from byte `start` on, part by part. Raises `UsageError` when it is gone."""
        return self._balancer.access_log(start)

    def path_for_locust(self, path: Path, reports: Path) -> str:
        """The path of a file of the project or of the reports in Locust's container."""
        return path_in_container(path, reports)

    def start_locust(
        self, arguments: list[str], reports: Path, site: WebAddress | None = None
    ) -> subprocess.Popen[bytes]:
        """Start Locust in a container. The process that is returned ends with it, and with its exit code."""
        return self._locust.start(arguments, reports, site)

    def signal_locust(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """Send a signal to Locust's container, or, while there is none, to the process that is about to make it."""
        self._locust.send_signal(process, number)


def _require_one_each(containers: list[Container]) -> None:
    """Raise `UsageError` when a service was scaled: the claim gives each name one place in the cycle."""
    counts = Counter(container.service for container in containers)
    scaled = [f"{service} has {count} containers" for service, count in counts.items() if count > 1]
    if scaled:
        raise UsageError(f"{', '.join(scaled)}: a run wants one of each: `make up STACK=compose` removes the others")
