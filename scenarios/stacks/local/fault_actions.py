"""Faults of the local stack: its services are processes, and get signals."""

import os
import signal
import time
from collections.abc import Callable

from scenarios.spec.errors import UsageError
from scenarios.stacks.fault_actions import POLLED_EVERY_S, CommonFaultActions
from scenarios.stacks.local.processes import ProcessId
from scenarios.stacks.stack import Stack

ENDED_WITHIN_S = 15.0  # longer than a backend needs to answer what it has
SUPERVISOR = "supervisor"


class LocalFaultActions(CommonFaultActions):
    """Sends signals to the processes. It asks the supervisor, which owns them, to start one that has ended."""

    def __init__(self, stack: Stack, processes: Callable[[], list[ProcessId]]) -> None:
        super().__init__(stack)
        self._processes = processes

    def _process(self, service: str) -> ProcessId:
        known = next((each for each in self._processes() if each.name == service), None)
        if known is None or known.process is None:
            raise UsageError(f"{service} does not run any more: `make logs` shows what it said last")
        return known

    def _signal(self, service: str, number: signal.Signals) -> None:
        os.kill(self._process(service).pid, number)

    def _terminate(self, backend: str, number: signal.Signals) -> str:
        known, began = self._process(backend), time.monotonic()
        os.kill(known.pid, number)
        while known.process is not None:
            if time.monotonic() - began > ENDED_WITHIN_S:
                raise UsageError(f"{backend} did not end within {ENDED_WITHIN_S:g} s")
            time.sleep(POLLED_EVERY_S)
        return f"process {known.pid} ended after {time.monotonic() - began:.2f} s"

    def _start(self, backend: str) -> None:  # noqa: ARG002 - the supervisor starts every service that has ended
        self._signal(SUPERVISOR, signal.SIGUSR1)

    def _pause(self, backend: str) -> None:
        self._signal(backend, signal.SIGSTOP)

    def _unpause(self, backend: str) -> None:
        self._signal(backend, signal.SIGCONT)

    def _kill_worker(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
