"""What the containers of the compose stack use, as the Docker engine reports it about once a second."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from docker.errors import APIError, NotFound

from scenarios.ledgers import Resource
from scenarios.stacks.containers import execute
from scenarios.stacks.docker_engine import Client
from scenarios.stacks.stack import MeterFault

FIRST_WITHIN_S = 5.0
LOOKED_FOR_EVERY_S = 0.2
OOM_COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")  # cgroup version 2, 1
UNKNOWN = -1


class ComposeMeter:
    """A thread per container follows the engine's statistics of it, and asks for its state each time."""

    def __init__(
        self, connect: Callable[[], Client], services: Mapping[str, str], to_come: Mapping[str, str] | None = None
    ) -> None:
        """`services` by the id of the container; `to_come` those whose container is still to be made, by its name."""
        self._connect = connect
        self._ended = threading.Event()
        self._faults: list[str] = []
        self._services = len(services)
        self._looked = threading.Semaphore(0)  # released for every sample
        self._threads = [
            threading.Thread(target=self._watch, args=(container, service, wait), name=f"meter {service}")
            for containers, wait in ((services, False), (to_come or {}, True))
            for container, service in containers.items()
        ]

    def start(self, emit: Callable[[Resource], None]) -> None:
        """Begin to give samples to `emit`, from several threads. Returns when there are some."""
        self._emit = emit
        for thread in self._threads:
            thread.start()
        for _ in range(self._services):
            self._looked.acquire(timeout=FIRST_WITHIN_S)

    def stop(self) -> None:
        """Wait for a last sample of every container. Raises `MeterFault` when samples are missing."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        if self._faults:
            raise MeterFault("; ".join(self._faults))

    def _watch(self, container: str, service: str, wait: bool) -> None:  # noqa: FBT001
        try:
            client = self._connect()
            if (came := self._came(client, container) if wait else container) is not None:
                self._follow(client, came, service)
        except Exception as error:  # noqa: BLE001 - whatever ends a thread is told to whoever started it
            self._faults.append(f"{service}: {error}")
            self._looked.release()

    def _came(self, client: Client, name: str) -> str | None:
        """Wait for a container of this name to run, and return its id; None when the end came first."""
        while not self._ended.wait(LOOKED_FOR_EVERY_S):
            try:
                inspected = client.inspect_container(name)
            except NotFound:
                continue
            if inspected["State"]["Running"]:
                return str(inspected["Id"])
        return None

    def _follow(self, client: Client, container: str, service: str) -> None:
        statistics: dict[str, Any] = {}
        oom_kills = _oom_kills(client, container)
        try:
            while not self._ended.wait(LOOKED_FOR_EVERY_S):
                for statistics in client.stats(container, stream=True, decode=True):
                    self._sample(row(service, client.inspect_container(container), statistics, oom_kills))
                    if self._ended.is_set():
                        break
            oom_kills = _oom_kills(client, container)
            self._sample(row(service, client.inspect_container(container), statistics, oom_kills))
        except NotFound:
            self._sample(row(service, {"Id": container, "State": {"Status": "removed"}}, statistics, oom_kills))

    def _sample(self, sample: Resource) -> None:
        self._emit(sample)
        self._looked.release()


def row(service: str, inspected: Mapping[str, Any], statistics: Mapping[str, Any], oom_kills: int) -> Resource:
    """A sample from what the engine says of a container, and from its statistics, which a stopped one lacks."""
    state, host = inspected["State"], inspected.get("HostConfig", {})
    cpu, memory = statistics.get("cpu_stats", {}), statistics.get("memory_stats", {})
    throttling = cpu.get("throttling_data", {})
    networks = statistics.get("networks", {}).values()
    return Resource(
        at_us=_at_us(statistics.get("read", "")),
        service=service,
        container=inspected["Id"][:12],
        state=state["Status"],
        health=state.get("Health", {}).get("Status", ""),
        started_us=_at_us(state.get("StartedAt", "")),
        restarts=inspected.get("RestartCount", 0),
        oom_killed=int(state.get("OOMKilled", False)),
        oom_kills=oom_kills,
        cpu_us=cpu.get("cpu_usage", {}).get("total_usage", 0) // 1000,
        cpu_limit=_cpu_limit(host),
        periods=throttling.get("periods", 0),
        throttled_periods=throttling.get("throttled_periods", 0),
        throttled_us=throttling.get("throttled_time", 0) // 1000,
        memory_bytes=_memory_bytes(memory),
        memory_limit_bytes=host.get("Memory", 0),
        received_bytes=sum(network["rx_bytes"] for network in networks),
        sent_bytes=sum(network["tx_bytes"] for network in networks),
        read_bytes=_io_bytes(statistics, "read"),
        written_bytes=_io_bytes(statistics, "write"),
    )


def _at_us(read: str) -> int:
    """The engine's time in nanoseconds; a container that does not run has none, or the year 1."""
    if not read or read.startswith("0001"):
        return round(time.time() * 1e6)
    return round(datetime.fromisoformat(read).timestamp() * 1e6)


def _cpu_limit(host: Mapping[str, Any]) -> float:
    """Cores, however the limit was given."""
    if host.get("NanoCpus"):
        return float(host["NanoCpus"] / 1e9)
    return float(host["CpuQuota"] / host["CpuPeriod"]) if host.get("CpuQuota") and host.get("CpuPeriod") else 0.0


def _memory_bytes(memory: Mapping[str, Any]) -> int:
    """As `docker stats` counts it: without the pages of files that nobody has used lately (cgroup version 1, or 2)."""
    counts = memory.get("stats", {})
    return int(memory.get("usage", 0) - counts.get("total_inactive_file", counts.get("inactive_file", 0)))


def _io_bytes(statistics: Mapping[str, Any], kind: str) -> int:
    entries = statistics.get("blkio_stats", {}).get("io_service_bytes_recursive") or []
    return sum(entry["value"] for entry in entries if entry["op"].lower() == kind)


def _oom_kills(client: Client, container: str) -> int:
    """The kernel's count in the container's control group. It begins anew when the container does."""
    try:
        _, said = execute(client, container, "cat", *OOM_COUNTERS)  # one of the two is there
    except APIError:  # it does not run
        return UNKNOWN
    count = re.search(r"^oom_kill (\d+)$", said, re.MULTILINE)
    return int(count[1]) if count else UNKNOWN
