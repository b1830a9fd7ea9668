"""The meter of the local stack: it asks the kernel, through psutil, what the processes use."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from scenarios.formats.rows import Resource
from scenarios.stacks.local.processes import ProcessId
from scenarios.stacks.stack import MeterFault

EVERY_S = 0.5
FIRST_WITHIN_S = 5.0
ENDED_WITHIN_S = 30.0  # a look at every process of a busy machine takes seconds
RUNNING, GONE = "running", "exited"


@dataclass
class Use:
    """The resources that the processes of one service use together."""

    cpu_s: float = 0.0
    memory_bytes: int = 0
    read_bytes: int = 0
    written_bytes: int = 0

    def add(self, process: psutil.Process) -> None:
        """Add a process. Shared memory counts for each process in part, where the kernel tells (PSS)."""
        with process.oneshot():
            times, io = process.cpu_times(), _io(process)
            self.memory_bytes += _memory_bytes(process)
        self.cpu_s += times.user + times.system
        self.read_bytes += io[0]
        self.written_bytes += io[1]


class LocalMeter:
    """Samples process groups: each service leads one, and so does Locust."""

    def __init__(self, services: Callable[[], list[ProcessId]]) -> None:
        self._services = services
        self._sampled, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="meter", daemon=True)
        self._fault = ""

    def start(self, emit: Callable[[Resource], None]) -> None:
        """Begin to give samples to `emit`. Returns after the first one."""
        self._emit = emit
        self._thread.start()
        self._sampled.wait(FIRST_WITHIN_S)

    def stop(self) -> None:
        """Give a last sample and end. Raises `MeterFault` when samples are missing."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(ENDED_WITHIN_S)
            if self._thread.is_alive():
                raise MeterFault(f"the last sample took longer than {ENDED_WITHIN_S:g} s")
        if self._fault:
            raise MeterFault(self._fault)

    def _run(self) -> None:
        try:
            self._sample()
            self._sampled.set()
            while not self._ended.wait(EVERY_S):
                self._sample()
            self._sample()
        except Exception as error:  # noqa: BLE001 - `stop` reports whatever ended the thread
            self._fault = str(error)
            self._sampled.set()

    def _sample(self) -> None:
        services = self._services()
        use: dict[int, Use] = {service.pid: Use() for service in services}
        for process in psutil.process_iter():
            try:
                group = os.getpgid(process.pid)
                if group in use:
                    use[group].add(process)
            except (ProcessLookupError, psutil.NoSuchProcess):
                continue  # it ended since it was listed
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
    """Its own memory and its part of what it shares; the whole of that where the system tells no more."""
    try:
        memory = process.memory_full_info()
    except psutil.AccessDenied:  # macOS tells it only of the process that asks
        return int(process.memory_info().rss)
    return int(getattr(memory, "pss", memory.uss))


def _io(process: psutil.Process) -> tuple[int, int]:
    """Bytes read from the disk and written to it; -1 for each where the system does not tell."""
    if not hasattr(process, "io_counters"):
        return -1, -1
    counters = process.io_counters()
    return counters.read_bytes, counters.write_bytes
