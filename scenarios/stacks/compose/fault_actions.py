"""Faults of the compose stack: the engine stops, pauses and starts containers, and sends them signals."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scenarios.cli.console import Console
from scenarios.cli.log_tail import in_one_line
from scenarios.spec.errors import UsageError
from scenarios.spec.fault import Fault
from scenarios.spec.fault_kind import FaultKind
from scenarios.stacks.compose import docker_engine
from scenarios.stacks.compose.containers import Container, execute
from scenarios.stacks.fault_actions import BALANCER, POLLED_EVERY_S, Action, CommonFaultActions
from scenarios.stacks.stack import Stack

GRACE_S = 10
ENDED_WITHIN_S = 20.0
HEALTHY_WITHIN_S = 60.0
INTERFACE = "eth0"
# SIOCGIFFLAGS and SIOCSIFFLAGS (netdevice(7)): an interface that is not up loses every packet, in both directions
SWITCH_INTERFACE = """
import fcntl, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any:
    name, up = sys.argv[1].encode(), sys.argv[2] == "up"
    _, flags = struct.unpack("16sh", fcntl.ioctl(any, 0x8913, struct.pack("16sh", name, 0)))
    fcntl.ioctl(any, 0x8914, struct.pack("16sh", name, flags | 1 if up else flags & ~1))
"""


class ComposeFaultActions(CommonFaultActions):
    """Applies faults through the engine. `container` gives the container of a service as it is now."""

    def __init__(
        self, stack: Stack, client: docker_engine.Client, container: Callable[[str], Container], console: Console
    ) -> None:
        super().__init__(stack)
        self._client = client
        self._container = container
        self._console = console

    def _actions(self) -> dict[FaultKind, Action]:
        return super()._actions() | {
            FaultKind.NEW_ADDRESS: lambda backend, _: self._move(backend),
            FaultKind.DROP_PACKETS: lambda backend, _: self._drop_packets(backend),
            FaultKind.UNHEALTHY: lambda backend, _: self._switch(backend, signal.SIGUSR2),
            FaultKind.LIMIT_CPU: self._limit_cpu,
        }

    def undo_all(self) -> None:
        """Apply every cure that is left, and wait until no container is unhealthy: health checks are seconds apart."""
        super().undo_all()
        services = [BALANCER, *self._stack.backends()]
        deadline = time.monotonic() + HEALTHY_WITHIN_S
        with self._console.working("waiting for the engine to find healthy again what was broken", after_s=1.0):
            while not all(each.is_healthy or each.is_starting for each in map(self._container, services)):
                if time.monotonic() > deadline:
                    raise UsageError("not every container is healthy again: `make status STACK=compose` says which")
                time.sleep(POLLED_EVERY_S)

    def _drop_packets(self, backend: str) -> str:
        self._cures[backend] = lambda: self._ready_after(lambda each: self._switch_interface(each, "up"), backend)
        self._switch_interface(backend, "down")
        return f"{INTERFACE} down"

    def _limit_cpu(self, backend: str, fault: Fault) -> str:
        before = self._container(backend).cpus
        self._cures[backend] = lambda: self._set_cpus(backend, before)
        assert fault.cpus is not None
        return self._set_cpus(backend, fault.cpus)

    def _signal(self, service: str, number: signal.Signals) -> None:
        self._client.kill(self._container(service).id, int(number))

    def _terminate(self, backend: str, number: signal.Signals) -> str:
        container, began = self._container(backend), time.monotonic()
        if number is signal.SIGTERM:  # after a stop by the engine, the restart policy does not start it again
            self._client.stop(container.id, timeout=GRACE_S)
        else:
            self._client.kill(container.id, int(number))
        while self._container(backend).is_running:
            if time.monotonic() - began > ENDED_WITHIN_S:
                raise UsageError(f"{container.name} did not end within {ENDED_WITHIN_S:g} s")
            time.sleep(POLLED_EVERY_S)
        return f"ended with exit code {self._container(backend).exit_code} after {time.monotonic() - began:.2f} s"

    def _start(self, backend: str) -> None:
        self._client.start(self._container(backend).id)

    def _pause(self, backend: str) -> None:
        self._client.pause(self._container(backend).id)

    def _unpause(self, backend: str) -> None:
        self._client.unpause(self._container(backend).id)

    def _kill_worker(self, pid: int) -> None:
        execute(self._client, self._container(BALANCER).id, "bash", "-c", f"kill -KILL {pid}")

    def _move(self, backend: str) -> str:
        """Restart a backend while another container takes its address."""
        before = self._container(backend)
        ended = self._end(backend, signal.SIGTERM)
        with self._address_taken(before):
            ready = self._cure(backend)
        after = self._container(backend)
        if after.address == before.address:
            raise UsageError(f"{before.name} has come back to {before.address}")
        return f"{ended}; {before.address}, then {after.address}; {ready}"

    @contextmanager
    def _address_taken(self, container: Container) -> Iterator[None]:
        """Keep a container that does nothing in the network of this one: it gets the address that has become free."""
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

    def _switch_interface(self, backend: str, state: str) -> None:
        """Switch a backend's network interface, by a container of the same image that shares it and may do that."""
        container = self._container(backend)
        ended = docker_engine.command(
            *("run", "--rm", "--network", f"container:{container.id}", "--cap-drop", "ALL", "--cap-add", "NET_ADMIN"),
            *("--user", "0", container.image, "python", "-c", SWITCH_INTERFACE, INTERFACE, state),
        )
        if ended.returncode:
            raise UsageError(f"{container.name}: {INTERFACE} {state}: {in_one_line(ended.stderr.splitlines())}")

    def _set_cpus(self, backend: str, cpus: float) -> str:
        container = self._container(backend)
        ended = docker_engine.command("update", "--cpus", f"{cpus:g}", container.id)
        if ended.returncode:
            raise UsageError(f"{container.name}: {cpus:g} CPU: {in_one_line(ended.stderr.splitlines())}")
        return f"{cpus:g} CPU"
