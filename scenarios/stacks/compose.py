"""The compose stack: nginx and its backends as containers, with their limits, and Locust beside them."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound

from scenarios.console import Console
from scenarios.errors import UsageError
from scenarios.interruption import heed, postponed
from scenarios.last_words import LOG_LINES, in_one_line
from scenarios.open_files import needed
from scenarios.report_directory import git_commit
from scenarios.stack_record import Limits, StackRecord
from scenarios.stacks import docker_engine
from scenarios.stacks.compose_meter import ComposeMeter
from scenarios.stacks.containers import Container, containers_of, execute, layers, said_by
from scenarios.stacks.ports import require_free
from scenarios.stacks.stack import PROJECT, STATE, ServiceState, reserved

NAME = "load-balancer-proofs"
LOCUST, BALANCER = "locust", "nginx"
CONF = "/etc/nginx/nginx.conf"
LOGS = "/var/log/nginx"
LOG_ROW_BYTES = 400  # the longest row of the access log, with room to spare
INSIDE = "/app"  # where the project lies in the image of Locust
HEALTHY_WITHIN_S = 180  # three failed checks, 30 s apart, and what lies before them
PROGRESS = r"(Container |Network |Image |Step |---> |Removing |Sending |Successfully |time=\S+ level=warning|$)"
COMPOSE_GIVES_UP_WITHIN_S = 60.0


class ComposeStack:
    """The services of compose.yaml. `port_offset` moves their host ports and makes it a project of its own."""

    name = "compose"
    target = "http://nginx:8080"

    def __init__(self, port_offset: int = 0, state: Path = STATE) -> None:
        self.port_offset = port_offset
        self.project = NAME if port_offset == 0 else f"{NAME}-{port_offset}"
        self.directory = state / (self.name if port_offset == 0 else f"{self.name}+{port_offset}")
        self.locust_name = f"{self.project}-locust"
        self._console = Console(stderr=True)

    @property
    def url(self) -> str:
        """The balancer's address on this machine."""
        return f"http://127.0.0.1:{_ports(self._expected)[BALANCER]}"

    # -- what compose.yaml says

    @cached_property
    def _environment(self) -> dict[str, str]:
        environment = os.environ | {
            "COMPOSE_PROJECT_NAME": self.project,
            "CALLER": f"{os.getuid()}:{os.getgid()}",
            "GIT_COMMIT": git_commit() or "",
        }
        if self.port_offset:
            ports = _ports(self._config(environment)["services"])
            environment |= {_variable(service): str(port + self.port_offset) for service, port in ports.items()}
        return environment

    @cached_property
    def _services(self) -> dict[str, Any]:
        """Every service of the configuration, Locust included."""
        services: dict[str, Any] = self._config(self._environment)["services"]
        return services

    @property
    def _expected(self) -> dict[str, Any]:
        """The services that make up the stack."""
        return {name: service for name, service in self._services.items() if not service.get("profiles")}

    def _config(self, environment: dict[str, str]) -> Any:
        self._client.ping()  # that there is no engine is to be said first
        done = self._compose("--profile", LOCUST, "config", "--format", "json", environment=environment)
        return json.loads(done)

    @cached_property
    def _client(self) -> docker_engine.Client:
        docker_engine.require_compose()
        return docker_engine.connect()

    def reserved(self) -> AbstractContextManager[None]:
        """Keep the stack for one command, which nobody else's may disturb. Raises `UsageError` when it is taken."""
        return reserved(self.directory.with_suffix(".lock"), self.name)

    # -- up and down

    def containers(self) -> list[Container]:
        """The containers of the services, running or not."""
        return containers_of(self._client, self.project)

    def is_up(self) -> bool:
        """Whether every service has a container, and all of them are healthy."""
        containers = self.containers()
        return {container.service for container in containers} >= self._expected.keys() and all(
            container.is_well for container in containers
        )

    def start(self) -> bool:
        """Start or renew what is not there as compose.yaml and the sources have it now. Returns whether anything was.

        Raises `UsageError` when it does not get healthy; nothing new is left then.
        """
        before = {container.id for container in self.containers() if container.is_running}
        try:
            self._bring_up()
        except BaseException:
            self._undo(before)
            raise
        return {container.id for container in self.containers()} != before

    def stop(self) -> list[str]:
        """Remove the containers and their network. Returns the names of the services that were there."""
        stopped = sorted({container.service for container in self.containers()})
        self._remove_locust()
        self._compose("--profile", LOCUST, "down", "--remove-orphans")
        return stopped

    @contextmanager
    def up(self) -> Iterator[bool]:
        """The stack, running. What was not there before is removed afterwards. Yields whether it was started for this.

        Raises `UsageError` when it is there, but not well, scaled or out of date: it is not for a run to change it.
        """
        containers = self.containers()
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
        with self._caretaker():
            self._bring_up()
            yield True

    def _bring_up(self) -> None:
        running = {container.service for container in self.containers() if container.is_running}
        ports = _ports(self._expected)
        require_free({service: port for service, port in ports.items() if service not in running})
        self._build()
        with self._console.working("starting the containers: half a minute with Docker older than 25"):
            try:
                self._compose("up", "--detach", "--wait", "--wait-timeout", str(HEALTHY_WITHIN_S))
            except UsageError as error:
                raise UsageError(". ".join(filter(None, [str(error), self._last_words()]))) from error

    def _build(self) -> None:
        with self._console.working("building the images: about half a minute the first time, a second after that"):
            self._compose("--profile", LOCUST, "build")

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
        now = {name: layers(self._client, service["image"]) for name, service in self._expected.items()}
        stale = [each.name for each in containers if layers(self._client, each.image) != now[each.service]]
        if stale:
            raise UsageError(
                f"{', '.join(stale)}: made from sources that have changed since: `make up STACK=compose` renews it"
            )

    @contextmanager
    def _caretaker(self) -> Iterator[None]:
        """A process that removes the stack when the body is done, or when this process ends in whatever way."""
        self.directory.mkdir(parents=True, exist_ok=True)
        log = self.directory / "caretaker.log"
        with postponed(), log.open("wb") as output:  # it may outlive this process, and so may not share its output
            caretaker = subprocess.Popen(
                [sys.executable, "-m", "scenarios.stacks.caretaker", str(self.port_offset)],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=heed,  # noqa: PLW1509 - there is only this thread
            )
        try:
            yield
        finally:
            assert caretaker.stdin is not None
            caretaker.stdin.close()
            if caretaker.wait():
                print(f"the compose stack could not be removed: see {log}", file=sys.stderr)

    def _undo(self, before: set[str]) -> None:
        """Remove what was not there before."""
        if not before:
            self.stop()
        for container in self.containers():
            if container.id not in before:
                self._client.remove_container(container.id, force=True)

    # -- what a person sees

    def states(self) -> list[ServiceState]:
        """What runs."""
        ports = _ports(self._expected)
        by_service = {container.service: container for container in self.containers()}
        return [
            ServiceState(name, ports.get(name), by_service[name].text if name in by_service else "not running")
            for name in self._expected
        ]

    def logs(self) -> Iterator[tuple[str, str]]:
        """Every container's name and last lines. Raises `UsageError` when there are none."""
        containers = self.containers()
        if not containers:
            raise UsageError("there are no logs: the stack is not up")
        yield from ((each.name, "\n".join(said_by(self._client, each.id, LOG_LINES))) for each in containers)

    def _last_words(self) -> str:
        """What the containers that failed said last, and their health checks."""
        said = []
        for container in self.containers():
            if container.has_failed:
                words = in_one_line(said_by(self._client, container.id, LOG_LINES))
                probe = f"; its health check: {in_one_line(container.probe.splitlines())}" if container.probe else ""
                said.append(f"{container.name} is {container.text}: {words}{probe}")
        return ". ".join(said)

    def _ailing(self, containers: list[Container]) -> str:
        there = {container.service for container in containers}
        return ", ".join(
            [f"{container.name} is {container.text}" for container in containers if not container.is_well]
            + [f"{service} is missing" for service in self._expected if service not in there]
        )

    # -- what a run needs

    def claimed_conf(self) -> str:
        """The configuration that the balancer's container was made with."""
        return self._inside(BALANCER, "cat", CONF)

    def record(self) -> StackRecord:
        """The limits that compose.yaml claims, and what the containers are made of."""
        offered = self._client.version()
        return StackRecord(
            name=self.name,
            enforces=True,
            services={name: _limits(service) for name, service in self._expected.items()},
            versions={"engine": offered["Version"], "compose": docker_engine.require_compose()},
            images={container.service: container.image for container in self.containers()},
        )

    def meter(self) -> ComposeMeter:
        """What looks at the containers, and at Locust's when it comes."""
        services = {container.id: container.service for container in self.containers()}
        return ComposeMeter(docker_engine.connect, services, {self.locust_name: LOCUST})

    def require_open_files(self, users: int) -> None:
        """Raise `UsageError` when Locust's container may not open a file per user."""
        limit = self._services[LOCUST]["ulimits"]["nofile"]
        hard = limit if isinstance(limit, int) else limit["hard"]
        if hard < needed(users):
            raise UsageError(
                f"{users:,} users need {needed(users):,} open files, and compose.yaml allows {hard:,}: "
                "raise nofile there, or ask for fewer with USERS="
            )

    def require_room(self, requests: int) -> None:
        """Raise `UsageError` when the balancer's log would overflow: rows would be lost, and nobody would say so."""
        room = int(self._inside(BALANCER, "df", "--block-size=1", "--output=avail", LOGS).split()[-1]) // LOG_ROW_BYTES
        if room < requests:
            raise UsageError(
                f"the log of the balancer in {LOGS} has room for {room:,} more requests, and {requests:,} are to come: "
                "`docker compose restart nginx` empties it"
            )

    def seen_by_locust(self, path: Path, reports: Path) -> str:
        """Where Locust's container has a file of the project or of the reports."""
        if path.is_relative_to(reports):
            return f"{INSIDE}/reports/{path.relative_to(reports)}"
        return f"{INSIDE}/{path.relative_to(PROJECT)}"

    def start_locust(self, arguments: list[str], reports: Path) -> subprocess.Popen[bytes]:
        """Start Locust in a container, whose end and exit code are those of the process that is returned."""
        self._remove_locust()  # of a run that was killed
        with postponed():
            return subprocess.Popen(
                [*("docker", "compose", "--progress", "quiet", "run", "--rm", "--no-deps", "--no-TTY"),
                 *(option for pair in self._terminal() for option in ("--env", pair)),
                 *("--name", self.locust_name, LOCUST, *arguments)],
                cwd=PROJECT,
                env=self._environment | {"REPORTS": str(reports)},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=heed,  # noqa: PLW1509
            )  # fmt: skip

    def tell_locust(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """Send a signal to Locust's container, or, if it is not there yet, to the process that would make it."""
        try:
            self._client.kill(self.locust_name, number)
        except APIError:
            process.send_signal(number)

    def _terminal(self) -> list[str]:
        """What lets Locust's progress be shown on the terminal, which its container cannot see."""
        if not self._console.is_terminal:
            return []
        return ["TTY_COMPATIBLE=1", f"TERM={os.environ.get('TERM', 'xterm')}", f"COLUMNS={self._console.width}"]

    def _remove_locust(self) -> None:
        with suppress(NotFound):
            self._client.remove_container(self.locust_name, force=True)

    def _inside(self, service: str, *command: str) -> str:
        """What a command says in the container of a service."""
        container = next(container for container in self.containers() if container.service == service)
        code, said = execute(self._client, container.id, *command)
        if code:
            raise UsageError(f"{container.name}: {' '.join(command)}: {in_one_line(said.splitlines())}")
        return said

    def _compose(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        """What `docker compose` answers. Raises `UsageError` with its last words when it does not succeed."""
        with postponed():
            process = subprocess.Popen(
                ["docker", "compose", "--progress", "plain", *arguments],  # noqa: S607
                cwd=PROJECT,
                env=environment or self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
                preexec_fn=heed,  # noqa: PLW1509
            )
        try:
            answer, said = process.communicate()
        except BaseException:
            process.terminate()  # and not kill: what it has asked of the engine is to be finished
            process.communicate(timeout=COMPOSE_GIVES_UP_WITHIN_S)
            raise
        if process.returncode:
            raise UsageError(f"docker compose {_verb(arguments)}: {in_one_line(_telling(answer + said))}")
        return answer


def _telling(said: str) -> list[str]:
    """The lines that say more than how far it is."""
    return [line.strip() for line in said.splitlines() if not re.match(PROGRESS, line.strip())]


def _verb(arguments: tuple[str, ...]) -> str:
    return next(argument for argument in arguments if argument in ("build", "config", "down", "up"))


def _ports(services: dict[str, Any]) -> dict[str, int]:
    """The host port of each service that publishes a certain one."""
    published = {name: port.get("published", "") for name, service in services.items() for port in service["ports"]}
    return {name: int(port) for name, port in published.items() if port.isdecimal() and port != "0"}


def _variable(service: str) -> str:
    """The variable in compose.yaml that moves the host port of a service."""
    return f"{service.upper().replace('-', '_')}_PORT"


def _limits(service: dict[str, Any]) -> Limits:
    written = service.get("deploy", {}).get("resources", {}).get("limits", {})
    return Limits(
        cpus=float(service.get("cpus") or written.get("cpus") or 0),
        memory_bytes=int(service.get("mem_limit") or written.get("memory") or 0),
    )
