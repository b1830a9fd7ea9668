"""A project of Docker Compose: the services of compose.yaml, and their containers."""

import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

from scenarios.cli.log_tail import in_one_line
from scenarios.formats.report_directory import git_commit
from scenarios.spec.errors import UsageError
from scenarios.stacks.compose import docker_engine
from scenarios.stacks.compose.command import compose
from scenarios.stacks.compose.config import host_ports, port_variable
from scenarios.stacks.compose.containers import Container, containers_of, execute
from scenarios.stacks.stack import PROJECT

NAME = "load-balancer-proofs"
LOCUST = "locust"


class ComposeProject:
    """The services of compose.yaml under one name. An offset moves their host ports and makes it a project of its own.

    The first use raises `UsageError` where Docker is missing, too old, or does not answer. When the engine goes away
    later, a use that needs it raises one of `docker_engine.FAULTS`.
    """

    def __init__(self, port_offset: int) -> None:
        self._port_offset = port_offset
        self.name = NAME if port_offset == 0 else f"{NAME}-{port_offset}"

    @cached_property
    def version(self) -> str:
        """The version of Compose."""
        return docker_engine.require_compose()

    @cached_property
    def client(self) -> docker_engine.Client:
        """A client of the engine."""
        version = self.version  # first: it says it when there is no Docker at all
        client = docker_engine.connect()
        docker_engine.require_pair(client, version)
        return client

    @cached_property
    def environment(self) -> dict[str, str]:
        """The environment that makes `docker compose` use this project."""
        environment = os.environ | {
            "COMPOSE_PROJECT_NAME": self.name,
            "COMPOSE_PROFILES": "",
            "CALLER": self._caller(),
            "GIT_COMMIT": git_commit() or "",
        }
        if self._port_offset:
            ports = host_ports(_config(environment)["services"])
            environment |= {port_variable(service): str(port + self._port_offset) for service, port in ports.items()}
        return environment

    def _caller(self) -> str:
        """The user that owns the reports. In the containers of an engine without root, root is the caller."""
        rootless = "name=rootless" in self.client.info().get("SecurityOptions", [])
        return "0:0" if rootless else f"{os.getuid()}:{os.getgid()}"

    @cached_property
    def services(self) -> dict[str, Any]:
        """Every service, Locust included, as `docker compose config` has it."""
        services: dict[str, Any] = _config(self.environment)["services"]
        return services

    @property
    def of_stack(self) -> dict[str, Any]:
        """The services of the stack: those without a profile."""
        return {name: service for name, service in self.services.items() if not service.get("profiles")}

    def command(self, *arguments: str) -> str:
        """The output of `docker compose`. Raises `UsageError` with its last lines when it does not succeed."""
        return compose(*arguments, environment=self.environment)

    def containers(self) -> list[Container]:
        """The containers of the stack's services, running or not.

        Raises `UsageError` when they belong to another checkout of the project: this one must not use or remove them.
        """
        found = [each for each in containers_of(self.client, self.name) if each.service in self.of_stack]
        others = {each.checkout for each in found if Path(each.checkout).resolve() != PROJECT.resolve()}
        if others:
            raise UsageError(
                f"the compose stack that is there belongs to {', '.join(others)}: "
                "`make down STACK=compose` there removes it, PORT_OFFSET=1000 makes another here"
            )
        return found

    def container(self, service: str) -> Container:
        """The container of a service. Raises `UsageError` when there is none."""
        for container in self.containers():
            if container.service == service:
                return container
        raise UsageError(f"the compose stack has no container for {service} any more")

    def inside(self, service: str, *command: str) -> str:
        """The output of a command in the container of a service. Raises `UsageError` when it does not succeed."""
        container = self.container(service)
        code, output = execute(self.client, container.id, *command)
        if code:
            raise UsageError(f"{container.name}: {' '.join(command)}: {in_one_line(output.splitlines())}")
        return output


def _config(environment: dict[str, str]) -> Any:
    return json.loads(compose("--profile", LOCUST, "config", "--format", "json", environment=environment))
