"""Local stacks of tests, and what is left of them."""

import os
import shutil
from contextlib import contextmanager

import psutil

from scenarios.stacks.local.stack import LocalStack
from tests.builders.free_ports import port_offset
from tests.builders.processes import command_of

PORTS = (8001, 8002, 8003, 8080)
WEB_PORT = 8089


@contextmanager
def offset_of_its_own():
    """A port offset; what still runs there afterwards is a failure, and is stopped."""
    offset = port_offset(*PORTS, WEB_PORT)
    yield offset
    left = LocalStack(offset).stop()
    forget(offset)
    assert left == []
    assert processes_of(offset) == []


def processes_of(offset):
    """Every process of the stack at this offset: those that listen on its ports, and those started for it."""
    ports = {port + offset for port in PORTS}
    listeners = {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port in ports
    }
    marks = {str(number) for number in (offset, *ports)}
    started = {process.pid for process in psutil.process_iter() if marks & set(command_of(process))}
    return sorted((listeners | started) - {os.getpid()})


def forget(offset):
    """Remove what the stack at this offset has written: the next test with this offset would find it."""
    directory = LocalStack(offset).directory
    shutil.rmtree(directory, ignore_errors=True)
    directory.with_suffix(".lock").unlink(missing_ok=True)
