"""What the processes of the local stack use, asked of the kernel through psutil."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from scenarios.ledgers import Resource
from scenarios.stacks.processes import ProcessId
from scenarios.stacks.stack import MeterFault

EVERY_S = 0.5
RUNNING, GONE = "running", "exited"


@dataclass
class Use:
    """What the processes of one service use together."""

    cpu_s: float = 0.0
    memory_bytes: int = 0
    read_bytes: int = 0
    written_bytes: int = 0

    def add(self, process: psutil.Process) -> None:
        """Count a process in. Memory that processes share is counted in parts, where the kernel tells (PSS)."""
        with process.oneshot():
            times, io = process.cpu_times(), _io(process)
            self.memory_bytes += _memory_bytes(process)
        self.cpu_s += times.user + times.system
        self.read_bytes += io[0]
        self.written_bytes += io[1]


class LocalMeter:
    """Samples process groups: each service, and Locust, is the leader of one."""

    def __init__(self, services: Callable[[], list[ProcessId]]) -> None:
        self._services = services
        self._looked, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="meter")
        self._fault = ""

    def start(self, emit: Callable[[Resource], None]) -> None:
        """Begin to give samples to `emit`. Returns when there is one."""
        self._emit = emit
        self._thread.start()
        self._looked.wait()

    def stop(self) -> None:
        """Give a last sample and end. Raises `MeterFault` when samples are missing."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._fault:
            raise MeterFault(self._fault)

    def _watch(self) -> None:
        try:
            self._sample()
            self._looked.set()
            while not self._ended.wait(EVERY_S):
                self._sample()
            self._sample()
        except Exception as error:  # noqa: BLE001 - whatever ends a thread is told to whoever started it
            self._fault = str(error)
            self._looked.set()

    def _sample(self) -> None:
        services = self._services()
        use: dict[int, Use] = {service.pid: Use() for service in services}
        for process in psutil.process_iter():
            try:
                group = os.getpgid(process.pid)
                if group in use:
                    use[group].add(process)
            except (ProcessLookupError, psutil.NoSuchProcess):
                continue  # it ended meanwhile
        at_us = round(time.time() * 1e6)
        for service in services:
            self._emit(_row(at_us, service, use[service.pid]))


def _row(at_us: int, service: ProcessId, use: Use) -> Resource:
    return Resource(
        at_us=at_us,
        service=service.name,
        container=str(service.pid),
        state=RUNNING if service.process else GONE,
        health="",
        started_us=round(service.created * 1e6),
        restarts=0,
        oom_events=-1,
        oom_kills=-1,
        cpu_us=round(use.cpu_s * 1e6),
        cpu_limit=0.0,
        periods=0,
        throttled_periods=0,
        throttled_us=0,
        memory_bytes=use.memory_bytes,
        memory_limit_bytes=0,
        swap_limit_bytes=0,
        pids_limit=0,
        received_bytes=-1,
        sent_bytes=-1,
        read_bytes=use.read_bytes,
        written_bytes=use.written_bytes,
    )


def _memory_bytes(process: psutil.Process) -> int:
    """What is the process's own, with its part of what it shares; all of that where the system tells no more."""
    try:
        memory = process.memory_full_info()
    except psutil.AccessDenied:  # macOS tells it about this very process only
        return int(process.memory_info().rss)
    return int(getattr(memory, "pss", memory.uss))


def _io(process: psutil.Process) -> tuple[int, int]:
    """Bytes from and to the disk; -1 for each where the system does not tell."""
    if not hasattr(process, "io_counters"):
        return -1, -1
    counters = process.io_counters()
    return counters.read_bytes, counters.write_bytes
