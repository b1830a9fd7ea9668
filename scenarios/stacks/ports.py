"""Checks that ports are free, and names the process that holds one which is not."""

import socket

import psutil

from scenarios.spec.errors import UsageError

LOOPBACK = "127.0.0.1"


def require_free(ports: dict[str, int]) -> None:
    """Check ports of 127.0.0.1, given by the service that needs them.

    Raises `UsageError` with each port that is taken and the process that holds it.
    """
    taken = [
        f"port {port}, which {service} needs, is taken by {_holder(port)}"
        for service, port in ports.items()
        if _taken(port)
    ]
    if taken:
        raise UsageError("; ".join(taken) + ". Stop what holds it, or move the whole stack: PORT_OFFSET=1000")


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def _holder(port: int) -> str:
    for connection in psutil.net_connections(kind="tcp"):
        listening = connection.status == psutil.CONN_LISTEN and connection.laddr
        if listening and listening.port == port and connection.pid is not None:
            command = " ".join(psutil.Process(connection.pid).cmdline())
            return f"process {connection.pid} ({command[:120]})"
    return "a process that this user may not see"
