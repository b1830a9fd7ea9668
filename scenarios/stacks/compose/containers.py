"""Containers of a compose project, as the engine describes them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from docker.errors import NotFound

from scenarios.stacks.compose.docker_engine import Client

LABEL = "com.docker.compose"


@dataclass(frozen=True)
class Container:
    """A container of a service, as it was when the engine was asked."""

    id: str
    name: str
    service: str
    image: str
    state: str
    health: str  # empty where there is no health check
    health_check_output: str  # of the last one
    ports: tuple[str, ...]  # of this machine, which lead to it: 127.0.0.1:8001
    checkout: str  # the directory of the compose.yaml that it was made from
    restarts: int
    exit_code: int  # of its last process
    cpus: float  # its limit; 0 when there is none
    network: str
    address: str  # in the network; empty when it does not run

    @classmethod
    def of(cls, inspected: dict[str, Any]) -> Self:
        """The container, from what the engine says of it."""
        state = inspected["State"]
        networks: dict[str, dict[str, str]] = inspected["NetworkSettings"]["Networks"]
        network, place = next(iter(networks.items()), ("", {}))
        return cls(
            id=inspected["Id"],
            name=inspected["Name"].removeprefix("/"),
            service=inspected["Config"]["Labels"][f"{LABEL}.service"],
            image=inspected["Image"],
            state=state["Status"],
            health=state.get("Health", {}).get("Status", ""),
            health_check_output=_last_output(state.get("Health", {})),
            ports=tuple(_ports(inspected["NetworkSettings"].get("Ports") or {})),
            checkout=inspected["Config"]["Labels"].get(f"{LABEL}.project.working_dir", ""),
            restarts=inspected["RestartCount"],
            exit_code=state["ExitCode"],
            cpus=inspected["HostConfig"]["NanoCpus"] / 1e9,
            network=network,
            address=place.get("IPAddress", ""),
        )

    @property
    def is_running(self) -> bool:
        """Whether its process runs."""
        return self.state == "running"

    @property
    def is_healthy(self) -> bool:
        """Whether it runs and is healthy, or has no health check."""
        return self.is_running and self.health in ("", "healthy")

    @property
    def is_starting(self) -> bool:
        """Whether it runs, and no health check has answered since it was started."""
        return self.is_running and self.health == "starting"

    @property
    def has_failed(self) -> bool:
        """Whether it ended or is unhealthy, and is not only slow to start."""
        return self.health == "unhealthy" or self.restarts > 0 or self.state not in ("created", "running")

    @property
    def text(self) -> str:
        """Its state for a person."""
        state = f"{self.state}, {self.health}" if self.is_running and self.health else self.state
        return f"{state}, restarts: {self.restarts}" if self.restarts else state


def _ports(published: dict[str, list[dict[str, str]] | None]) -> Iterator[str]:
    for bindings in published.values():
        yield from (f"{binding['HostIp']}:{binding['HostPort']}" for binding in bindings or [])


def _last_output(health: dict[str, Any]) -> str:
    log = health.get("Log") or [{}]
    return str(log[-1].get("Output", "")).strip()


def containers_of(client: Client, project: str) -> list[Container]:
    """Every container of a project's services, running or not, in the order of their names."""
    labels = [f"{LABEL}.project={project}", f"{LABEL}.oneoff=False"]
    found = []
    for each in client.containers(all=True, filters={"label": labels}):
        with suppress(NotFound):  # it was removed since it was listed
            found.append(Container.of(client.inspect_container(each["Id"])))
    return sorted(found, key=lambda container: container.name)


def layers(client: Client, image: str) -> list[str]:
    """The checksums of an image's layers. Its id says less: building the same again may give it another id."""
    inspected: dict[str, Any] = client.inspect_image(image)  # type: ignore[no-untyped-call]
    return list(inspected["RootFS"]["Layers"])


def execute(client: Client, container: str, *command: str) -> tuple[int, str]:
    """Run a command in a container that runs. Returns its exit code and all of its output."""
    made = client.exec_create(container, list(command))["Id"]
    output = client.exec_start(made).decode(errors="replace")
    return client.exec_inspect(made)["ExitCode"], output


def streamed(client: Client, container: str, *command: str) -> Iterator[bytes]:
    """The standard output of a command in a container that runs, part by part."""
    made = client.exec_create(container, list(command), stderr=False)["Id"]
    yield from client.exec_start(made, stream=True)


def last_log_lines(client: Client, container: str, lines: int) -> list[str]:
    """The last lines of a container's log."""
    return client.logs(container, tail=lines).decode(errors="replace").splitlines()
