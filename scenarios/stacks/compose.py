"""The compose stack: nginx and its backends as containers, with their limits, and Locust beside them."""

import hashlib
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenarios.console import Console
from scenarios.errors import UsageError
from scenarios.interruption import child
from scenarios.last_words import LOG_LINES, in_one_line, last_words
from scenarios.stack_record import StackRecord, Standing
from scenarios.stacks import docker_engine
from scenarios.stacks.compose_breaker import ComposeBreaker
from scenarios.stacks.compose_config import host_ports, limits
from scenarios.stacks.compose_locust import ComposeLocust, seen
from scenarios.stacks.compose_meter import ComposeMeter
from scenarios.stacks.compose_project import LOCUST, ComposeProject
from scenarios.stacks.containers import Container, layers, said_by, streamed
from scenarios.stacks.ports import require_free
from scenarios.stacks.stack import PROJECT, ServiceState, Site, directory_of, reserved

BALANCER = "nginx"
CONF = "/etc/nginx/nginx.conf"
LOGS = "/var/log/nginx"
ACCESS_LOG = f"{LOGS}/access.csv"
LOG_ROW_BYTES = 400  # the longest row of the access log, with room to spare
SETTLES_S = 0.2
HEALTHY_WITHIN_S = 120  # three checks that are not answered, 10 s each and as far apart, and what lies before them


class ComposeStack:
    """The services of compose.yaml. `port_offset` moves their host ports and makes it a project of its own."""

    name = "compose"
    target = "http://nginx:8080"

    def __init__(self, port_offset: int = 0) -> None:
        self.port_offset = port_offset
        self.project = ComposeProject(port_offset)
        self.directory = directory_of(self.name, port_offset)
        self._console = Console(stderr=True)
        self._locust = ComposeLocust(self.project, self._console)

    @property
    def url(self) -> str:
        """The balancer's address on this machine."""
        ports = self.project.container(BALANCER).ports
        return f"http://{ports[0]}" if ports else "nowhere"

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Keep the stack for one command, which nobody else's may disturb. Raises `UsageError` when it is taken."""
        with reserved(self.directory.with_suffix(".lock"), self.name) as self._lock:
            yield

    # -- up and down

    def is_up(self) -> bool:
        """Whether every service has a container, and all of them are healthy."""
        containers = self.project.containers()
        return {container.service for container in containers} >= self.project.of_stack.keys() and all(
            container.is_well for container in containers
        )

    def start(self) -> bool:
        """Start or renew what is not there as compose.yaml and the sources have it now. Returns whether anything was.

        Raises `UsageError` when it does not get healthy. If nothing was there before, then nothing is left; else what
        was started is, to be looked at.
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
        """Remove the containers and their network. Returns the names of the services that were there."""
        stopped = sorted({container.service for container in self.project.containers()})
        self._locust.remove()
        self.project.command("--profile", "*", "down", "--remove-orphans")
        return stopped

    @contextmanager
    def up(self) -> Iterator[bool]:
        """The stack, running. What was not there before is removed afterwards. Yields whether it was started for this.

        Raises `UsageError` when it is there, but not well, scaled or out of date: it is not for a run to change it.
        """
        self.settle()
        containers = self.project.containers()
        if containers and self.is_up():
            self._require_one_each(containers)
            self._build()
            self._require_current(containers)
            yield False
            return
        if containers:
            raise UsageError(
                f"the compose stack is there but not ready ({self._ailing(containers)}): "
                "`make up STACK=compose` mends it, `make down STACK=compose` removes it"
            )
        self._prepare()
        with self._caretaker():
            self._start_containers()
            yield True

    def settle(self) -> None:
        """Wait while containers were just started and the engine has not asked for their health, unless one failed."""
        deadline = time.monotonic() + HEALTHY_WITHIN_S
        with self._console.working("waiting for the engine to ask for the health of what was started", after_s=1.0):
            while time.monotonic() < deadline:
                containers = self.project.containers()
                if not all(each.is_sound for each in containers) or not any(each.is_unasked for each in containers):
                    return
                time.sleep(SETTLES_S)

    def _prepare(self) -> None:
        """What can fail before anything is touched."""
        running = [container for container in self.project.containers() if container.is_running]
        held = {int(port.rpartition(":")[2]) for container in running for port in container.ports}
        require_free({name: port for name, port in host_ports(self.project.of_stack).items() if port not in held})
        self._build(first=min(self.project.of_stack.keys() - {BALANCER}))

    def _start_containers(self) -> None:
        with self._console.working("starting the containers: about a quarter of a minute"):
            try:
                wait = ("--wait", "--wait-timeout", str(HEALTHY_WITHIN_S))
                self.project.command("up", "--detach", *wait)
            except UsageError as error:
                raise UsageError(". ".join(filter(None, [str(error), self._last_words()]))) from error

    def _build(self, first: str | None = None) -> None:
        """Build what has changed. The replicas are of one image; built at the same time they may become several.

        So one of them comes `first` where their containers are to be made: the next build would make one image again,
        and call the containers of the others stale.
        """
        with self._console.working("building the images: about half a minute the first time, a second after that"):
            if first is not None:
                self.project.command("build", first)
            self.project.command("--profile", LOCUST, "build")

    def _require_one_each(self, containers: list[Container]) -> None:
        """Raise `UsageError` when a service was scaled: the claim gives each name one place in the cycle."""
        counts = Counter(container.service for container in containers)
        scaled = [f"{service} has {count} containers" for service, count in counts.items() if count > 1]
        if scaled:
            raise UsageError(
                f"{', '.join(scaled)}: a run wants one of each: `make up STACK=compose` removes the others"
            )

    def _require_current(self, containers: list[Container]) -> None:
        """Raise `UsageError` when a container was made from other sources than there are now."""
        now = {
            name: layers(self.project.client, service.get("image", f"{self.project.name}-{name}"))
            for name, service in self.project.of_stack.items()
        }
        stale = [each.name for each in containers if layers(self.project.client, each.image) != now[each.service]]
        if stale:
            raise UsageError(
                f"{', '.join(stale)}: made from sources that have changed since: `make up STACK=compose` renews it"
            )

    @contextmanager
    def _caretaker(self) -> Iterator[None]:
        """A process that removes the stack when the body is done, or when this process ends in whatever way.

        It may outlive this process, and so does not share its output; until it is done the stack stays reserved.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        log = self.directory / "caretaker.log"

        def start() -> subprocess.Popen[bytes]:
            with log.open("wb") as output:
                return subprocess.Popen(
                    [sys.executable, "-m", "scenarios.stacks.caretaker", str(self.port_offset)],
                    cwd=PROJECT,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                    pass_fds=[self._lock],
                    start_new_session=True,
                )

        def end(caretaker: subprocess.Popen[bytes]) -> None:
            assert caretaker.stdin is not None
            caretaker.stdin.close()
            if caretaker.wait():
                print(f"the compose stack could not be removed: {last_words(log)}", file=sys.stderr)

        with child(start, end) as caretaker:
            yield
            end(caretaker)

    # -- what a person sees

    def states(self) -> list[ServiceState]:
        """What runs."""
        containers = self.project.containers()
        missing = self.project.of_stack.keys() - {container.service for container in containers}
        return [
            *(ServiceState(each.service, " ".join(each.ports), each.text) for each in containers),
            *(ServiceState(service, "", "not running") for service in sorted(missing)),
        ]

    def logs(self) -> Iterator[tuple[str, str]]:
        """Every container's name and last lines. Raises `UsageError` when there are none."""
        containers = self.project.containers()
        if not containers:
            raise UsageError("there are no logs: the stack is not up")
        yield from ((each.name, "\n".join(said_by(self.project.client, each.id, LOG_LINES))) for each in containers)

    def _last_words(self) -> str:
        """What the containers that failed said last, and their health checks."""
        said = []
        for container in self.project.containers():
            if container.has_failed:
                words = in_one_line(said_by(self.project.client, container.id, LOG_LINES))
                probe = f"; its health check: {in_one_line(container.probe.splitlines())}" if container.probe else ""
                said.append(f"{container.name} is {container.text}: {words}{probe}")
        return ". ".join(said)

    def _ailing(self, containers: list[Container]) -> str:
        there = {container.service for container in containers}
        return ", ".join(
            [f"{container.name} is {container.text}" for container in containers if not container.is_well]
            + [f"{service} is missing" for service in self.project.of_stack if service not in there]
        )

    # -- what a run needs

    def backends(self) -> dict[str, str]:
        """The URL of every backend: its port on this machine."""
        ports = {service: port for service, port in host_ports(self.project.of_stack).items() if service != BALANCER}
        return {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}

    def standing(self) -> Standing:
        """The balancer's workers and configuration. Raises `UsageError` when it is gone."""
        try:
            said = self.project.inside(BALANCER, "sh", "-c", "grep -l '^nginx: worker' /proc/[0-9]*/cmdline")
            conf = self.claimed_conf()
        except docker_engine.FAULTS as error:
            raise UsageError(docker_engine.reason(error)) from error
        workers = sorted(int(path.split("/")[2]) for path in said.split())
        return Standing(workers=workers, configuration=hashlib.sha256(conf.encode()).hexdigest())

    def claimed_conf(self) -> str:
        """The configuration that the balancer's container was made with."""
        return self.project.inside(BALANCER, "cat", CONF)

    def record(self) -> StackRecord:
        """The limits that compose.yaml claims, and what the containers are made of."""
        offered = self.project.client.version()
        return StackRecord(
            name=self.name,
            enforces=True,
            services={name: limits(service) for name, service in self.project.of_stack.items()},
            versions={"engine": offered["Version"], "compose": self.project.version},
            images={container.service: container.image for container in self.project.containers()},
        )

    def meter(self) -> ComposeMeter:
        """What looks at the containers, and at Locust's when it comes."""
        services = {container.id: container.service for container in self.project.containers()}
        return ComposeMeter(docker_engine.connect, services, {self._locust.name: LOCUST})

    def breaker(self) -> ComposeBreaker:
        """What breaks the containers."""
        return ComposeBreaker(self, self.project.client, self.project.container, self._console)

    def require_open_files(self, users: int) -> None:
        """Raise `UsageError` when Locust's container may not open a file per user."""
        self._locust.require_open_files(users)

    def require_room(self, requests: int) -> None:
        """Raise `UsageError` when the balancer's log would overflow: rows would be lost, and nobody would say so."""
        said = self.project.inside(BALANCER, "df", "--block-size=1", "--output=size,avail", LOGS)
        size, room = (int(number) // LOG_ROW_BYTES for number in said.split()[-2:])
        if room < requests:
            remedy = (
                f"`docker restart {self.project.container(BALANCER).name}` empties it"
                if requests <= size
                else f"give {LOGS} a larger size in compose.yaml, or ask for fewer with REQUESTS="
            )
            raise UsageError(
                f"the balancer's log in {LOGS} has room for {room:,} requests, and {requests:,} are to come: {remedy}"
            )

    def logged_bytes(self) -> int:
        """How long the balancer's log of requests is."""
        return int(self.project.inside(BALANCER, "stat", "--format=%s", ACCESS_LOG))

    def logged(self, start: int) -> Iterator[bytes]:
        """What the balancer's log has from byte `start` on. Raises `UsageError` when its container is gone."""
        try:
            for container in self.project.containers():
                if container.service == BALANCER:
                    yield from streamed(self.project.client, container.id, "tail", f"--bytes=+{start + 1}", ACCESS_LOG)
        except docker_engine.FAULTS as error:
            raise UsageError(docker_engine.reason(error)) from error

    @property
    def sees_addresses(self) -> bool:
        """Whoever comes through a published port looks alike."""
        return False

    def seen_by_locust(self, path: Path, reports: Path) -> str:
        """Where Locust's container has a file of the project or of the reports."""
        return seen(path, reports)

    def start_locust(self, arguments: list[str], reports: Path, site: Site | None = None) -> subprocess.Popen[bytes]:
        """Start Locust in a container, whose end and exit code are those of the process that is returned."""
        return self._locust.start(arguments, reports, site)

    def tell_locust(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """Send a signal to Locust's container, or, if it is not there yet, to the process that would make it."""
        self._locust.tell(process, number)
