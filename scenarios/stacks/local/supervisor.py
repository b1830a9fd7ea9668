"""The process that owns the local stack's processes, so that none of them outlives the stack.

`python -m scenarios.stacks.local.supervisor STATE CONF PORT_OFFSET attached|detached` starts every service, waits until
each is healthy, and says `ready`, or what went wrong, in one line on standard output. It stops all services when a
signal tells it to, or when one of them ends before all are healthy. An attached supervisor stops them also at the end
of its standard input, which comes when the process that started it ends, for whatever reason. On SIGUSR1 it starts
again every service that has ended.
"""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

from scenarios.cli.exit_codes import ends_in_order
from scenarios.cli.log_tail import log_tail
from scenarios.stacks.health import is_healthy
from scenarios.stacks.local.fault_actions import SUPERVISOR
from scenarios.stacks.local.processes import ProcessId
from scenarios.stacks.local.service import HEALTHY_WITHIN_S, Service
from scenarios.stacks.local.stack import LocalStack
from scenarios.stacks.local.state_file import State
from scenarios.stacks.local.supervisor_process import READY
from scenarios.stacks.stack import PROJECT

GRACE_S = 5.0
POLLED_EVERY_S = 0.05


class NotHealthy(Exception):
    """A service did not start. The message is one line and ends with the last lines of the service's log."""


class Orders:
    """Orders to the supervisor: a signal that ends it, SIGUSR1, and the end of standard input where `attached`.

    A signal handler can run at any moment, also while this process takes a lock. It only writes a byte to a pipe.
    """

    def __init__(self, *, attached: bool) -> None:
        stop_reader, stop_writer = os.pipe()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: os.write(stop_writer, b"."))
        self._stop_sources = [stop_reader, sys.stdin.fileno()] if attached else [stop_reader]
        self._start_reader, start_writer = os.pipe()
        signal.signal(signal.SIGUSR1, lambda *_: os.write(start_writer, b"."))

    def stop_within(self, seconds: float) -> bool:
        """Wait for the order to stop, at most so many seconds. Returns whether it came; it is never taken back."""
        readable, _, _ = select.select(self._stop_sources, [], [], seconds)
        return bool(readable)

    def wait_for_start(self) -> bool:
        """Wait for the order to start what has ended; False when the order to stop comes first.

        It waits without a deadline: the stack is up for as long as its user wants.
        """
        readable, _, _ = select.select([*self._stop_sources, self._start_reader], [], [])
        if readable != [self._start_reader]:
            return False
        os.read(self._start_reader, 1)
        return True


def main() -> None:
    """Run the stack until an order to stop comes."""
    with ends_in_order(SUPERVISOR):
        state, conf, port_offset, mode = sys.argv[1:]
        orders = Orders(attached=mode == "attached")
        sys.exit(supervise(LocalStack(int(port_offset), Path(conf), Path(state)), orders))


def supervise(stack: LocalStack, orders: Orders) -> int:
    """Start the services of a stack, wait for the order to stop, and stop them. Returns the exit code."""
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        stack.write_conf()
        services = stack.services()
        for service in services:
            children[service.name] = _start(service, stack.log(service.name), "wb")
            stack.state.write(_state(children, ready=False))
        for service in services:
            _wait_until_healthy(service, children[service.name], stack.log(service.name), orders)
        stack.state.write(_state(children, ready=True))
        print(READY, flush=True)
        while orders.wait_for_start():
            _start_again(services, children, stack)
    except NotHealthy as error:
        print(error, flush=True)
        return 1
    finally:
        _stop(children)
        stack.state.remove()
    return 0


def _state(children: dict[str, subprocess.Popen[bytes]], *, ready: bool) -> State:
    """The supervisor first, which is stopped first. A child that has ended keeps its number until it is reaped."""
    services = [ProcessId.of(name, child.pid) for name, child in children.items()]
    return State(ready, [ProcessId.of(SUPERVISOR, os.getpid()), *services])


def _start_again(services: list[Service], children: dict[str, subprocess.Popen[bytes]], stack: LocalStack) -> None:
    """Start every service that has ended; its log keeps what its earlier processes said."""
    for service in services:
        if children[service.name].poll() is not None:
            children[service.name] = _start(service, stack.log(service.name), "ab")
    stack.state.write(_state(children, ready=True))


def _start(service: Service, log: Path, mode: Literal["wb", "ab"]) -> subprocess.Popen[bytes]:
    with log.open(mode) as output:
        return subprocess.Popen(
            service.command,
            cwd=PROJECT,
            env=os.environ | service.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_until_healthy(service: Service, child: subprocess.Popen[bytes], log: Path, orders: Orders) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    while child.poll() is None and not is_healthy(service.health, service.name):
        if time.monotonic() > deadline:
            raise NotHealthy(f"{service.name} was not healthy within {HEALTHY_WITHIN_S:g} s: {log_tail(log)}")
        if orders.stop_within(POLLED_EVERY_S):
            raise NotHealthy("stopped before the stack was ready")
    if child.poll() is not None:
        raise NotHealthy(f"{service.name} ended with exit code {child.returncode}: {log_tail(log)}")


def _stop(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Stop nginx first, so that it asks no backend that is gone. Kill what does not end in time, with its group."""
    for child in reversed(children.values()):
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
        with suppress(ProcessLookupError):  # workers of an nginx that was killed are still there, or all are gone
            os.killpg(child.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)


if __name__ == "__main__":
    main()
