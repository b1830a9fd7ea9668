"""Ports that no process uses, so that tests disturb neither each other nor a stack that is up."""

import os
import socket
from itertools import count

FIRST, STEP = 11_000, 97
APART = 1_600
PLACE = "PORTS_PLACE"  # names the number of a process: two that look at the same time look elsewhere


def port_offset(*ports: int) -> int:
    """An offset at which all these ports are free on 127.0.0.1."""
    first = FIRST + APART * int(os.environ.get(PLACE, "0"))
    return next(offset for offset in count(first, STEP) if all(_free(port + offset) for port in ports))


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
