"""The Docker engine that the user's own `docker` command uses."""

import os
import re
import subprocess
from contextlib import closing
from typing import Any

import docker
from docker.errors import DockerException
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from scenarios.cli.log_tail import in_one_line
from scenarios.spec.errors import UsageError

OLDEST_API = (1, 41)  # engine 20.10, the first with version 2 of the kernel's control groups
OLDEST_COMPOSE = (2, 21)
START_INTERVAL_API = (1, 44)
REFUSES_FROM, REFUSES_UNTIL = (2, 24), (5, 1)  # Compose versions that refuse what the engine lacks
TIMEOUT_S = 30
COMMAND_WITHIN_S = 120.0  # a small machine that is under load takes long to start a container
INSTEAD = "or leave STACK=compose out to use the local stack"

Client = docker.APIClient
FAULTS = (DockerException, RequestException)  # of the docker package, when the engine fails


def connect() -> Client:
    """A client of the engine. Raises `UsageError` when there is none, or an old one."""
    address = os.environ.get("DOCKER_HOST") or _address_of_context()
    try:
        options: dict[str, Any] = {**kwargs_from_env(), "base_url": address, "timeout": TIMEOUT_S}
        offered = _version(options)
        if _numbers(offered["ApiVersion"]) >= OLDEST_API:
            return docker.APIClient(**options, version="auto")
    except FAULTS as error:
        raise UsageError(f"no Docker engine answers at {address} ({reason(error)}): start it, {INSTEAD}") from error
    raise UsageError(
        f"the Docker engine at {address} is {offered['Version']} with API {offered['ApiVersion']}: "
        f"20.10 with API {_text(OLDEST_API)} or newer is needed, {INSTEAD}"
    )


def _version(options: dict[str, Any]) -> dict[str, str]:
    """The engine's versions, also of an engine that is too old."""
    with closing(docker.APIClient(**options, version=_text(OLDEST_API))) as client:
        return dict(client.version(api_version=False))


def require_compose() -> str:
    """The version of the `docker compose` command. Raises `UsageError` when it is missing or old."""
    found = command("compose", "version", "--short")
    version = found.stdout.strip()
    if found.returncode:
        raise UsageError(f"docker compose is missing ({in_one_line(found.stderr.splitlines())}): install it, {INSTEAD}")
    if _numbers(version) < OLDEST_COMPOSE:
        raise UsageError(f"docker compose is {version}: {_text(OLDEST_COMPOSE)} or newer is needed, {INSTEAD}")
    return version


def require_pair(client: Client, compose: str) -> None:
    """Raise `UsageError` when this Compose refuses a health check's start interval, which this engine does not know."""
    if _numbers(client.api_version) < START_INTERVAL_API and REFUSES_FROM <= _numbers(compose) < REFUSES_UNTIL:
        raise UsageError(
            f"docker compose {compose} refuses compose.yaml for an engine with API {client.api_version}: "
            f"an engine from 25, or a compose from {_text(REFUSES_UNTIL)}, is needed, {INSTEAD}"
        )


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the user's `docker` command. Raises `UsageError` when there is none, or when it does not end in time."""
    try:
        return subprocess.run(
            ["docker", *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_WITHIN_S,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"docker {arguments[0]}: did not come to an end within {COMMAND_WITHIN_S:g} s") from None
    except FileNotFoundError:
        raise UsageError(f"the docker command is not installed: install Docker, {INSTEAD}") from None


def _address_of_context() -> str:
    """The address of the engine of the current context."""
    shown = command("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    if shown.returncode:
        raise UsageError(f"the docker context cannot be read: {in_one_line(shown.stderr.splitlines())}")
    return shown.stdout.strip()


def reason(error: BaseException) -> str:
    """The system's own message in an error, which the libraries in between wrap again and again."""
    match = re.search(r"\w+Error\(\d+, '([^']+)'\)|\[Errno \d+\] ([^'\"()]+)", str(error))
    return (match[1] or match[2]) if match else str(error)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
