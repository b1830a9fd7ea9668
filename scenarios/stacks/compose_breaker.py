"""Breaks the compose stack: the engine stops, pauses and starts its containers, and gives them signals."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scenarios.console import Console
from scenarios.errors import UsageError
from scenarios.fault import Fault, Kind
from scenarios.last_words import in_one_line
from scenarios.stacks import docker_engine
from scenarios.stacks.breaking import ASKED_EVERY_S, BALANCER, Breaking
from scenarios.stacks.containers import Container, execute
from scenarios.stacks.stack import Stack

GRACE_S = 10
ENDED_WITHIN_S = 20.0
WELL_WITHIN_S = 60.0
INTERFACE = "eth0"
# SIOCGIFFLAGS and SIOCSIFFLAGS (netdevice(7)): an interface that is not up loses what comes and what goes
SWITCH_INTERFACE = """
import fcntl, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any:
    name, up = sys.argv[1].encode(), sys.argv[2] == "up"
    _, flags = struct.unpack("16sh", fcntl.ioctl(any, 0x8913, struct.pack("16sh", name, 0)))
    fcntl.ioctl(any, 0x8914, struct.pack("16sh", name, flags | 1 if up else flags & ~1))
"""


class ComposeBreaker(Breaking):
    """Asks the engine. `container` gives the container of a service as it is now."""

    kinds = Breaking.kinds | {Kind.NEW_ADDRESS, Kind.DROP_PACKETS, Kind.UNHEALTHY, Kind.LIMIT_CPU}

    def __init__(
        self, stack: Stack, client: docker_engine.Client, container: Callable[[str], Container], console: Console
    ) -> None:
        super().__init__(stack)
        self._client = client
        self._container = container
        self._console = console

    def mend(self) -> None:
        """Apply every cure that is left, and wait until the engine calls nobody unhealthy any more: it asks rarely."""
        super().mend()
        services = [BALANCER, *self._stack.backends()]
        deadline = time.monotonic() + WELL_WITHIN_S
        with self._console.working("waiting for the engine to find healthy again what was broken", after_s=1.0):
            while not all(self._container(service).is_sound for service in services):
                if time.monotonic() > deadline:
                    raise UsageError("not every container is healthy again: `make status STACK=compose` says which")
                time.sleep(ASKED_EVERY_S)

    def _of_backend(self, fault: Fault, whom: str) -> str:
        match fault.what:
            case Kind.NEW_ADDRESS:
                self._cures[whom] = lambda: self._started(whom)
                return self._moved(whom)
            case Kind.DROP_PACKETS:
                self._cures[whom] = lambda: self._reachable_again(whom)
                self._switch_interface(whom, "down")
                return f"{INTERFACE} down"
            case Kind.LIMIT_CPU:
                before = self._container(whom).cpus
                self._cures[whom] = lambda: self._give_cpu(whom, before)
                assert fault.cpus is not None
                return self._give_cpu(whom, fault.cpus)
            case _:
                return super()._of_backend(fault, whom)

    def _signal(self, service: str, number: signal.Signals) -> None:
        self._client.kill(self._container(service).id, int(number))

    def _ended(self, whom: str, number: signal.Signals) -> str:
        container, began = self._container(whom), time.monotonic()
        if number is signal.SIGTERM:  # told so, the engine does not start it again
            self._client.stop(container.id, timeout=GRACE_S)
        else:
            self._client.kill(container.id, int(number))
        while self._container(whom).is_running:
            if time.monotonic() - began > ENDED_WITHIN_S:
                raise UsageError(f"{container.name} did not end within {ENDED_WITHIN_S:g} s")
            time.sleep(ASKED_EVERY_S)
        return f"ended with exit code {self._container(whom).exit_code} after {time.monotonic() - began:.2f} s"

    def _begin(self, whom: str) -> None:
        self._client.start(self._container(whom).id)

    def _suspend(self, whom: str) -> None:
        self._client.pause(self._container(whom).id)

    def _continue(self, whom: str) -> None:
        self._client.unpause(self._container(whom).id)

    def _kill_worker(self, pid: int) -> None:
        execute(self._client, self._container(BALANCER).id, "bash", "-c", f"kill -KILL {pid}")

    def _moved(self, whom: str) -> str:
        """Restart a backend while somebody else takes its address."""
        before = self._container(whom)
        ended = self._ended(whom, signal.SIGTERM)
        with self._squatter(before):
            ready = self._cure(whom)
        after = self._container(whom)
        if after.address == before.address:
            raise UsageError(f"{before.name} has come back to {before.address}")
        return f"{ended}; {before.address}, then {after.address}; {ready}"

    @contextmanager
    def _squatter(self, container: Container) -> Iterator[None]:
        """A container that does nothing, in the network of this one: it gets the address that has become free."""
        made = self._client.create_container(
            container.image,
            ["sleep", "infinity"],
            host_config=self._client.create_host_config(auto_remove=True, network_mode=container.network),
        )["Id"]
        try:
            self._client.start(made)
            yield
        finally:
            self._client.remove_container(made, force=True)

    def _reachable_again(self, whom: str) -> str:
        self._switch_interface(whom, "up")
        return self._ready(whom)

    def _switch_interface(self, whom: str, state: str) -> None:
        """Let a container of the same image, which may do that, switch the interface that it shares with a backend."""
        container = self._container(whom)
        said = docker_engine.command(
            *("run", "--rm", "--network", f"container:{container.id}", "--cap-drop", "ALL", "--cap-add", "NET_ADMIN"),
            *("--user", "0", container.image, "python", "-c", SWITCH_INTERFACE, INTERFACE, state),
        )
        if said.returncode:
            raise UsageError(f"{container.name}: {INTERFACE} {state}: {in_one_line(said.stderr.splitlines())}")

    def _give_cpu(self, whom: str, cpus: float) -> str:
        container = self._container(whom)
        said = docker_engine.command("update", "--cpus", f"{cpus:g}", container.id)
        if said.returncode:
            raise UsageError(f"{container.name}: {cpus:g} CPU: {in_one_line(said.stderr.splitlines())}")
        return f"{cpus:g} CPU"
