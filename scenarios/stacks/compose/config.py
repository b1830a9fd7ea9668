"""Reads the services of compose.yaml, in the form that `docker compose config` gives them."""

from typing import Any

from scenarios.formats.stack_record import Limits


def host_ports(services: dict[str, Any]) -> dict[str, int]:
    """The host port of each service that publishes a fixed one."""
    published = [(name, port.get("published", "")) for name, each in services.items() for port in each.get("ports", [])]
    return {name: int(port) for name, port in published if port.isdecimal() and port != "0"}


def port_variable(service: str) -> str:
    """The variable in compose.yaml that sets the host port of a service."""
    return f"{service.upper().replace('-', '_')}_PORT"


def limits(service: dict[str, Any]) -> Limits:
    """The limits of a service, in both ways of writing them. By default it may swap as much as its memory."""
    written = service.get("deploy", {}).get("resources", {}).get("limits", {})
    memory_bytes = int(service.get("mem_limit") or written.get("memory") or 0)
    return Limits(
        cpus=float(service.get("cpus") or written.get("cpus") or 0),
        memory_bytes=memory_bytes,
        swap_bytes=int(service.get("memswap_limit") or 2 * memory_bytes) - memory_bytes,
        pids=int(service.get("pids_limit") or written.get("pids") or 0),
    )
