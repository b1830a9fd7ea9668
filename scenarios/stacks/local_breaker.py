"""Breaks the local stack: its services are processes, and get signals."""

import os
import signal
import time
from collections.abc import Callable

from scenarios.errors import UsageError
from scenarios.stacks.breaking import ASKED_EVERY_S, Breaking
from scenarios.stacks.processes import ProcessId
from scenarios.stacks.stack import Stack

ENDED_WITHIN_S = 15.0  # longer than a backend takes its time with what it has
SUPERVISOR = "supervisor"


class LocalBreaker(Breaking):
    """Sends signals to the processes. What has ended the supervisor starts again, who owns it."""

    def __init__(self, stack: Stack, processes: Callable[[], list[ProcessId]]) -> None:
        super().__init__(stack)
        self._processes = processes

    def _known(self, service: str) -> ProcessId:
        known = next((each for each in self._processes() if each.name == service), None)
        if known is None or known.process is None:
            raise UsageError(f"{service} does not run any more: `make logs` shows what it said last")
        return known

    def _signal(self, service: str, number: signal.Signals) -> None:
        os.kill(self._known(service).pid, number)

    def _ended(self, whom: str, number: signal.Signals) -> str:
        known, began = self._known(whom), time.monotonic()
        os.kill(known.pid, number)
        while known.process is not None:
            if time.monotonic() - began > ENDED_WITHIN_S:
                raise UsageError(f"{whom} did not end within {ENDED_WITHIN_S:g} s")
            time.sleep(ASKED_EVERY_S)
        return f"process {known.pid} ended after {time.monotonic() - began:.2f} s"

    def _begin(self, whom: str) -> None:  # noqa: ARG002 - nobody else has ended
        self._signal(SUPERVISOR, signal.SIGUSR1)

    def _suspend(self, whom: str) -> None:
        self._signal(whom, signal.SIGSTOP)

    def _continue(self, whom: str) -> None:
        self._signal(whom, signal.SIGCONT)

    def _kill_worker(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
