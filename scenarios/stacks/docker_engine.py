"""The Docker engine that the user's own `docker` command speaks to."""

import os
import re
import subprocess
from contextlib import closing
from typing import Any

import docker
from docker.errors import DockerException
from docker.utils import kwargs_from_env

from scenarios.errors import UsageError
from scenarios.last_words import in_one_line

OLDEST_API = (1, 41)  # engine 20.10, the first with version 2 of the kernel's control groups
OLDEST_COMPOSE = (2, 21)
TIMEOUT_S = 30
INSTEAD = "or leave STACK=compose out to use the local stack"

Client = docker.APIClient


def connect() -> Client:
    """A client of the engine. Raises `UsageError` when there is none, or an old one."""
    options: dict[str, Any] = {**kwargs_from_env()}
    address = options.setdefault("base_url", _address())
    offered = _version(options)
    if _numbers(offered["ApiVersion"]) < OLDEST_API:
        raise UsageError(
            f"the Docker engine at {address} is {offered['Version']} with API {offered['ApiVersion']}: "
            f"20.10 with API {_text(OLDEST_API)} or newer is needed, {INSTEAD}"
        )
    return docker.APIClient(**options, version="auto", timeout=TIMEOUT_S)


def _version(options: dict[str, Any]) -> dict[str, str]:
    """What the engine says of itself."""
    with closing(docker.APIClient(**options, version=_text(OLDEST_API), timeout=TIMEOUT_S)) as client:
        try:
            return dict(client.version(api_version=False))
        except (DockerException, OSError) as error:
            raise UsageError(
                f"no Docker engine answers at {options['base_url']} ({_reason(error)}): start it, {INSTEAD}"
            ) from error


def require_compose() -> str:
    """The version of the `docker compose` command. Raises `UsageError` when it is missing or old."""
    found = command("compose", "version", "--short")
    version = found.stdout.strip()
    if found.returncode:
        raise UsageError(f"docker compose is missing ({in_one_line(found.stderr.splitlines())}): install it, {INSTEAD}")
    if _numbers(version) < OLDEST_COMPOSE:
        raise UsageError(f"docker compose is {version}: {_text(OLDEST_COMPOSE)} or newer is needed, {INSTEAD}")
    return version


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the user's `docker` command. Raises `UsageError` when there is none."""
    try:
        return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)  # noqa: S607
    except FileNotFoundError:
        raise UsageError(f"the docker command is not installed: install Docker, {INSTEAD}") from None


def _address() -> str:
    """Where the engine of the current context is."""
    if "DOCKER_HOST" in os.environ:
        return os.environ["DOCKER_HOST"]
    shown = command("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    if shown.returncode:
        raise UsageError(f"the docker context cannot be read: {in_one_line(shown.stderr.splitlines())}")
    return shown.stdout.strip()


def _reason(error: BaseException) -> str:
    """What the system said, which the libraries in between wrap again and again."""
    match = re.search(r"\w+Error\(\d+, '([^']+)'\)|\[Errno \d+\] ([^'\"()]+)", str(error))
    return (match[1] or match[2]) if match else str(error)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
