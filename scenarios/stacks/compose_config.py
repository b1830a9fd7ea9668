"""What compose.yaml says of its services, in the form in which `docker compose config` gives it."""

from typing import Any

from scenarios.stack_record import Limits


def host_ports(services: dict[str, Any]) -> dict[str, int]:
    """The host port of each service that publishes a certain one."""
    published = [(name, port.get("published", "")) for name, each in services.items() for port in each.get("ports", [])]
    return {name: int(port) for name, port in published if port.isdecimal() and port != "0"}


def port_variable(service: str) -> str:
    """The variable in compose.yaml that moves the host port of a service."""
    return f"{service.upper().replace('-', '_')}_PORT"


def limits(service: dict[str, Any]) -> Limits:
    """What a service may use, in either way of writing it. Swap is as much again by default."""
    written = service.get("deploy", {}).get("resources", {}).get("limits", {})
    memory_bytes = int(service.get("mem_limit") or written.get("memory") or 0)
    return Limits(
        cpus=float(service.get("cpus") or written.get("cpus") or 0),
        memory_bytes=memory_bytes,
        swap_bytes=int(service.get("memswap_limit") or 2 * memory_bytes) - memory_bytes,
        pids=int(service.get("pids_limit") or written.get("pids") or 0),
    )
