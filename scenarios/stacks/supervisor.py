"""The process that owns the local stack's processes, so that none of them outlives the stack.

`python -m scenarios.stacks.supervisor STATE CONF PORT_OFFSET stay|leave` starts every service, waits until each is
healthy, says `ready` (or what went wrong) in one line on standard output, and stops them all when it is told to: by a
signal, by the death of any of them before they are ready, and with `leave` by the end of its standard input, which
comes when the process that started it ends, whatever ended it. Told by SIGUSR1, it starts what has ended meanwhile.
"""

import http.client
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Literal

from scenarios.last_words import last_words
from scenarios.stacks.local import LocalStack, Service
from scenarios.stacks.processes import ProcessId
from scenarios.stacks.stack import PROJECT

HEALTHY_WITHIN_S = 30.0
GRACE_S = 5.0


class NotHealthy(Exception):
    """A service did not start. The message is one line and ends with what the service said last."""


class Orders:
    """What ends the stack: a signal, or, where `heed_input`, the end of standard input. SIGUSR1 starts what has ended.

    A signal handler may strike anywhere, in the middle of taking a lock too, and so it only writes a byte to a pipe.
    """

    def __init__(self, *, heed_input: bool) -> None:
        told, tell = os.pipe()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: os.write(tell, b"."))
        self._sources = [told, sys.stdin.fileno()] if heed_input else [told]
        self._asked, ask = os.pipe()
        signal.signal(signal.SIGUSR1, lambda *_: os.write(ask, b"."))

    def to_stop(self, within_s: float | None = None) -> bool:
        """Wait for the order, for ever or for a while; whether it came. Once it has come it stays."""
        readable, _, _ = select.select(self._sources, [], [], within_s)
        return bool(readable)

    def to_start(self) -> bool:
        """Wait for the order to start what has ended; false when the one to stop comes before."""
        readable, _, _ = select.select([*self._sources, self._asked], [], [])
        if readable != [self._asked]:
            return False
        os.read(self._asked, 1)
        return True


def main() -> None:
    """Run the stack until told to stop."""
    state, conf, port_offset, stay = sys.argv[1:]
    orders = Orders(heed_input=stay == "leave")
    sys.exit(supervise(LocalStack(int(port_offset), Path(conf), Path(state)), orders))


def supervise(stack: LocalStack, orders: Orders) -> int:
    """Start the services of a stack, wait for the order to stop, and stop them. Returns the exit code."""
    children: dict[str, subprocess.Popen[bytes]] = {}
    started = [ProcessId.of("supervisor", os.getpid())]
    try:
        stack.write_conf()
        services = stack.services()
        for service in services:
            name = service.address.name
            children[name] = _start(service, stack.log(name), "wb")
            started.append(ProcessId.of(name, children[name].pid))
            stack.remember(started, ready=False)
        for service in services:
            _wait_until_healthy(service, children[service.address.name], stack, orders)
        stack.remember(started, ready=True)
        print("ready", flush=True)
        while orders.to_start():
            _start_again(services, children, started, stack)
    except NotHealthy as error:
        print(error, flush=True)
        return 1
    finally:
        _stop(children)
        stack.state_path.unlink(missing_ok=True)
    return 0


def _start_again(
    services: list[Service], children: dict[str, subprocess.Popen[bytes]], started: list[ProcessId], stack: LocalStack
) -> None:
    """Start every service that has ended; what it said in its earlier life stays in its log."""
    for service in services:
        name = service.address.name
        if children[name].poll() is not None:
            children[name] = _start(service, stack.log(name), "ab")
            started[:] = [each for each in started if each.name != name]
            started.append(ProcessId.of(name, children[name].pid))
            stack.remember(started, ready=True)


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


def _wait_until_healthy(service: Service, child: subprocess.Popen[bytes], stack: LocalStack, orders: Orders) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    name = service.address.name
    while child.poll() is None and not _healthy(service):
        if time.monotonic() > deadline:
            raise NotHealthy(f"{name} was not healthy within {HEALTHY_WITHIN_S:g} s: {last_words(stack.log(name))}")
        if orders.to_stop(within_s=0.05):
            raise NotHealthy("stopped before the stack was ready")
    if child.poll() is not None:
        raise NotHealthy(f"{name} ended with exit code {child.returncode}: {last_words(stack.log(name))}")


def _healthy(service: Service) -> bool:
    """Whether the service answers, and no other in its place. No proxy of the environment is asked on the way."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(service.health, timeout=1.0) as answer:
            tag = answer.headers.get("X-Host-Tag", service.address.name)
            return bool(answer.status == 200 and tag == service.address.name)
    except (OSError, http.client.HTTPException):
        return False


def _stop(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Stop nginx first, so that nobody asks a backend that is gone; who does not go in time is killed with its own."""
    for child in reversed(children.values()):
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
        with suppress(ProcessLookupError):  # workers of an nginx that was killed are still there, or all are gone
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


if __name__ == "__main__":
    main()
