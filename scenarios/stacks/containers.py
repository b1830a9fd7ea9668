"""Containers of a compose project, as the engine describes them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from docker.errors import NotFound

from scenarios.stacks.docker_engine import Client

LABEL = "com.docker.compose"


@dataclass(frozen=True)
class Container:
    """A container of a service, as it is now."""

    id: str
    name: str
    service: str
    image: str
    state: str
    health: str  # empty where there is no health check
    probe: str  # what the last health check said
    ports: tuple[str, ...]  # of this machine that lead to it: 127.0.0.1:8001
    checkout: str  # the directory of the compose.yaml that it was made from
    restarts: int
    exit_code: int  # of its last process
    cpus: float  # that it may use; 0 when there is no limit
    network: str  # the one that it is in
    address: str  # in there; empty when it does not run

    @classmethod
    def of(cls, inspected: dict[str, Any]) -> Self:
        """The container that the engine describes like this."""
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
            probe=_last_output(state.get("Health", {})),
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
        """Whether its process is there."""
        return self.state == "running"

    @property
    def is_well(self) -> bool:
        """Whether it runs, and healthily."""
        return self.is_running and self.health in ("", "healthy")

    @property
    def is_sound(self) -> bool:
        """Whether it runs, and the engine has found nothing amiss with it."""
        return self.is_running and self.health != "unhealthy"

    @property
    def is_unasked(self) -> bool:
        """Whether it runs, and the engine has not asked for its health since it was started."""
        return self.is_running and self.health == "starting"

    @property
    def has_failed(self) -> bool:
        """Whether it ended, or is found unhealthy, and does not just take its time."""
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
    """Every container of the services of a project, running or not, in the order of their names."""
    labels = [f"{LABEL}.project={project}", f"{LABEL}.oneoff=False"]
    found = []
    for each in client.containers(all=True, filters={"label": labels}):
        with suppress(NotFound):  # it was removed meanwhile
            found.append(Container.of(client.inspect_container(each["Id"])))
    return sorted(found, key=lambda container: container.name)


def layers(client: Client, image: str) -> list[str]:
    """The contents of an image, by their checksums. Its id says less: building the same again may give it a new one."""
    inspected: dict[str, Any] = client.inspect_image(image)  # type: ignore[no-untyped-call]
    return list(inspected["RootFS"]["Layers"])


def execute(client: Client, container: str, *command: str) -> tuple[int, str]:
    """Run a command in a container that runs: its exit code, and everything that it said."""
    made = client.exec_create(container, list(command))["Id"]
    said = client.exec_start(made).decode(errors="replace")
    return client.exec_inspect(made)["ExitCode"], said


def streamed(client: Client, container: str, *command: str) -> Iterator[bytes]:
    """What a command in a container that runs writes to its standard output, part by part."""
    made = client.exec_create(container, list(command), stderr=False)["Id"]
    yield from client.exec_start(made, stream=True)


def said_by(client: Client, container: str, lines: int) -> list[str]:
    """The last lines of a container's log."""
    return client.logs(container, tail=lines).decode(errors="replace").splitlines()
