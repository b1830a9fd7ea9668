"""Ports that nobody uses, so that tests disturb neither each other nor a stack that is up."""

import socket
from itertools import count


def port_offset(*ports: int) -> int:
    """An offset at which all these ports are free on 127.0.0.1."""
    return next(offset for offset in count(11_000, 97) if all(_free(port + offset) for port in ports))


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
