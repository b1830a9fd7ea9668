"""What it takes to break a stack on purpose, and to mend it, whatever it is made of."""

import signal
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException

from scenarios.errors import UsageError
from scenarios.fault import Fault, Kind
from scenarios.interruption import undisturbed
from scenarios.stacks.stack import Stack

BALANCER = "nginx"
BACK_WITHIN_S = 60.0  # a Python that starts with an eighth of a CPU takes its time
RELOADED_WITHIN_S = 10.0
GONE_WITHIN_S = 60.0  # longer than nginx lets an old worker live
ASKED_EVERY_S = 0.02
SWITCH = {Kind.FAIL: signal.SIGUSR1, Kind.UNHEALTHY: signal.SIGUSR2}  # and SIGCONT: all is well again


class Breaking(ABC):
    """The faults that every stack knows. Of each it keeps the cure until that was applied."""

    kinds = frozenset(
        (
            *(Kind.KILL, Kind.STOP, Kind.START, Kind.RESTART, Kind.HANG, Kind.FAIL, Kind.RESUME),
            *(Kind.RELOAD_NGINX, Kind.KILL_NGINX_WORKER),
        )
    )

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._cures: dict[str, Callable[[], str]] = {}

    def strike(self, fault: Fault) -> str:
        """Do it, and return when it is done, with what was seen of it."""
        if fault.whom is None:
            return self._of_nginx(fault.what)
        if fault.what in (Kind.START, Kind.RESUME):
            return self._cure(fault.whom)
        return self._of_backend(fault, fault.whom)

    def mend(self) -> None:
        """Apply every cure that is left."""
        for whom in list(self._cures):
            self._cure(whom)

    @contextmanager
    def frozen(self, whom: str) -> Iterator[None]:
        """A backend that does nothing while the body runs, and goes on afterwards, whatever ended the body."""
        with undisturbed():
            try:
                self._cures[whom] = lambda: self._resumed(whom)
                self._suspend(whom)
                yield
            finally:
                self.mend()

    def _of_backend(self, fault: Fault, whom: str) -> str:
        match fault.what:
            case Kind.KILL | Kind.STOP:
                self._cures[whom] = lambda: self._started(whom)
                return self._ended(whom, signal.SIGKILL if fault.what is Kind.KILL else signal.SIGTERM)
            case Kind.RESTART:
                self._cures[whom] = lambda: self._started(whom)
                return f"{self._ended(whom, signal.SIGTERM)}; {self._cure(whom)}"
            case Kind.HANG:
                self._cures[whom] = lambda: self._resumed(whom)
                self._suspend(whom)
                return ""
            case _:
                self._cures[whom] = lambda: self._well_again(whom)
                self._signal(whom, SWITCH[fault.what])
                return ""

    def _of_nginx(self, what: Kind) -> str:
        before = self._stack.standing().workers
        if what is Kind.RELOAD_NGINX:
            self._signal(BALANCER, signal.SIGHUP)
        else:
            self._kill_worker(before[0])
        return f"workers {_numbers(before)}, then {_numbers(self._workers_since(before))}"

    def renew(self) -> None:
        """Reload the balancer, and wait until only its new workers are there."""
        before = self._stack.standing().workers
        self._signal(BALANCER, signal.SIGHUP)
        self._workers_since(before)
        deadline = time.monotonic() + GONE_WITHIN_S
        while set(before) & set(self._stack.standing().workers):
            if time.monotonic() > deadline:
                raise UsageError(f"old workers of nginx did not end within {GONE_WITHIN_S:g} s after a reload")
            time.sleep(ASKED_EVERY_S)

    def _workers_since(self, before: list[int]) -> list[int]:
        """Wait until new workers are there. Which ones."""
        deadline = time.monotonic() + RELOADED_WITHIN_S
        while time.monotonic() < deadline:
            if new := set(self._stack.standing().workers) - set(before):
                return sorted(new)
            time.sleep(ASKED_EVERY_S)
        raise UsageError(f"nginx had no new workers within {RELOADED_WITHIN_S:g} s: `make logs` shows what it says")

    def _cure(self, whom: str) -> str:
        said = self._cures[whom]()
        del self._cures[whom]  # not before it has helped
        return said

    def _started(self, whom: str) -> str:
        self._begin(whom)
        return self._ready(whom)

    def _resumed(self, whom: str) -> str:
        self._continue(whom)
        return self._ready(whom)

    def _well_again(self, whom: str) -> str:
        self._signal(whom, signal.SIGCONT)
        return self._ready(whom)

    def _ready(self, whom: str) -> str:
        """Wait until a backend answers its health check under its own name. How long that took."""
        url, began = self._stack.backends()[whom], time.monotonic()
        while not _is_healthy(url, whom):
            if time.monotonic() - began > BACK_WITHIN_S:
                raise UsageError(f"{whom} did not answer its health check within {BACK_WITHIN_S:g} s")
            time.sleep(ASKED_EVERY_S)
        return f"ready after {time.monotonic() - began:.2f} s"

    @abstractmethod
    def _signal(self, service: str, number: signal.Signals) -> None:
        """Send a signal to the first process of a service."""

    @abstractmethod
    def _ended(self, whom: str, number: signal.Signals) -> str:
        """Send a signal that ends a backend, and wait until it has. How it ended."""

    @abstractmethod
    def _begin(self, whom: str) -> None:
        """Start a backend that has ended."""

    @abstractmethod
    def _suspend(self, whom: str) -> None:
        """Let a backend stand still."""

    @abstractmethod
    def _continue(self, whom: str) -> None:
        """Let it go on."""

    @abstractmethod
    def _kill_worker(self, pid: int) -> None:
        """Kill a worker of nginx, by its number in `standing`."""


def _is_healthy(url: str, tag: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(OSError, HTTPException), direct.open(f"{url}/health", timeout=1.0) as answer:
        return bool(answer.headers.get("X-Host-Tag") == tag)
    return False


def _numbers(pids: list[int]) -> str:
    return ", ".join(map(str, pids))
