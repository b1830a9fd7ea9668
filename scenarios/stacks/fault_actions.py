"""The faults that every stack can have, and their cures."""

import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scenarios.cli.signals import interruption_postponed
from scenarios.spec.errors import UsageError
from scenarios.spec.fault import Fault
from scenarios.spec.fault_kind import FaultKind
from scenarios.spec.nginx.balancer import NGINX
from scenarios.stacks.health import is_healthy
from scenarios.stacks.stack import Stack

BALANCER = "nginx"
BACK_WITHIN_S = 60.0  # starting Python with an eighth of a CPU takes long
RELOADED_WITHIN_S = 10.0
GONE_WITHIN_S = 60.0  # longer than nginx lets an old worker live
POLLED_EVERY_S = 0.02

Action = Callable[[str, Fault], str]  # done to a service for a fault; it returns details


class CommonFaultActions(ABC):
    """Applies the faults that every stack knows. It keeps the cure of each until the cure has succeeded."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._cures: dict[str, Callable[[], str]] = {}

    @property
    def kinds(self) -> frozenset[FaultKind]:
        """The kinds of fault that are possible on this stack."""
        return frozenset(self._actions())

    def _actions(self) -> dict[FaultKind, Action]:
        """The action for each kind of fault that is possible."""
        return {
            FaultKind.KILL: lambda backend, _: self._end(backend, signal.SIGKILL),
            FaultKind.STOP: lambda backend, _: self._end(backend, signal.SIGTERM),
            FaultKind.START: lambda backend, _: self._cure(backend),
            FaultKind.RESTART: lambda backend, _: f"{self._end(backend, signal.SIGTERM)}; {self._cure(backend)}",
            FaultKind.HANG: lambda backend, _: self._hang(backend),
            FaultKind.FAIL: lambda backend, _: self._switch(backend, signal.SIGUSR1),
            FaultKind.RESUME: lambda backend, _: self._cure(backend),
            FaultKind.RELOAD_NGINX: lambda nginx, _: self._renew_workers(
                lambda _: self._signal(nginx, NGINX.reload_signal)
            ),
            FaultKind.KILL_NGINX_WORKER: lambda *_: self._renew_workers(lambda pids: self._kill_worker(pids[0])),
        }

    def apply(self, fault: Fault) -> str:
        """Apply a fault, wait until it is done, and return details."""
        return self._actions()[fault.kind](fault.backend or BALANCER, fault)

    def undo_all(self) -> None:
        """Apply every cure that is left."""
        for backend in list(self._cures):
            self._cure(backend)

    def reload_balancer(self) -> None:
        """Reload the balancer, and wait until only its new workers are left."""
        before = self._workers()
        self._signal(BALANCER, NGINX.reload_signal)
        self._workers_after(before)
        deadline = time.monotonic() + GONE_WITHIN_S
        while set(before) & set(self._workers()):
            if time.monotonic() > deadline:
                raise UsageError(f"old workers of nginx did not end within {GONE_WITHIN_S:g} s after a reload")
            time.sleep(POLLED_EVERY_S)

    @contextmanager
    def paused(self, backend: str) -> Iterator[None]:
        """Pause a backend while the body runs; it goes on afterwards, whatever ended the body."""
        with interruption_postponed():
            try:
                self._hang(backend)
                yield
            finally:
                self.undo_all()

    def _end(self, backend: str, number: signal.Signals) -> str:
        self._cures[backend] = lambda: self._ready_after(self._start, backend)
        return self._terminate(backend, number)

    def _hang(self, backend: str) -> str:
        self._cures[backend] = lambda: self._ready_after(self._unpause, backend)
        self._pause(backend)
        return ""

    def _switch(self, backend: str, number: signal.Signals) -> str:
        """Switch a backend into a state by a signal, which SIGCONT ends."""
        self._cures[backend] = lambda: self._ready_after(lambda each: self._signal(each, signal.SIGCONT), backend)
        self._signal(backend, number)
        return ""

    def _cure(self, backend: str) -> str:
        details = self._cures[backend]()
        del self._cures[backend]  # only now: one that failed is tried again at the end of the run
        return details

    def _ready_after(self, cure: Callable[[str], None], backend: str) -> str:
        """Apply a cure and wait until the backend answers its health check. Returns how long that took."""
        cure(backend)
        url, began = self._stack.backends()[backend], time.monotonic()
        while not is_healthy(f"{url}/health", backend):
            if time.monotonic() - began > BACK_WITHIN_S:
                raise UsageError(f"{backend} did not answer its health check within {BACK_WITHIN_S:g} s")
            time.sleep(POLLED_EVERY_S)
        return f"ready after {time.monotonic() - began:.2f} s"

    def _renew_workers(self, action: Callable[[list[int]], None]) -> str:
        """Do what makes nginx start new workers, wait for them, and return the old and the new ones."""
        before = self._workers()
        action(before)
        return f"workers {_numbers(before)}, then {_numbers(self._workers_after(before))}"

    def _workers(self) -> list[int]:
        return self._stack.balancer_state().workers

    def _workers_after(self, before: list[int]) -> list[int]:
        """Wait until there are workers that were not there before, and return those."""
        deadline = time.monotonic() + RELOADED_WITHIN_S
        while time.monotonic() < deadline:
            if new := set(self._workers()) - set(before):
                return sorted(new)
            time.sleep(POLLED_EVERY_S)
        raise UsageError(f"nginx had no new workers within {RELOADED_WITHIN_S:g} s: `make logs` shows what it says")

    @abstractmethod
    def _signal(self, service: str, number: signal.Signals) -> None:
        """Send a signal to the first process of a service."""

    @abstractmethod
    def _terminate(self, backend: str, number: signal.Signals) -> str:
        """End a backend by a signal, and wait until it has ended. Returns how it ended."""

    @abstractmethod
    def _start(self, backend: str) -> None:
        """Start a backend that has ended."""

    @abstractmethod
    def _pause(self, backend: str) -> None:
        """Make a backend stand still."""

    @abstractmethod
    def _unpause(self, backend: str) -> None:
        """Let a paused backend go on."""

    @abstractmethod
    def _kill_worker(self, pid: int) -> None:
        """Kill a worker of nginx, by its number in `balancer_state`."""


def _numbers(pids: list[int]) -> str:
    return ", ".join(map(str, pids))
