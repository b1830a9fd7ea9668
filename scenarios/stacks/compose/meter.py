"""The meter of the compose stack: it follows what the Docker engine reports of each container, about once a second."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from datetime import datetime
from typing import Any

from docker.errors import APIError, NotFound

from scenarios.formats.rows import Resource
from scenarios.stacks.compose.containers import execute
from scenarios.stacks.compose.docker_engine import Client
from scenarios.stacks.stack import MeterFault

FIRST_WITHIN_S = 5.0
LOOKED_FOR_EVERY_S = 0.2
ENDED_WITHIN_S = 60.0  # longer than the engine may take for two answers
OOM_COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")  # cgroup version 2, 1
UNKNOWN = -1


class ComposeMeter:
    """A thread per container follows the engine's statistics of it, and asks for its state each time.

    One more thread listens for the engine's event that a container ran out of memory. The engine sends it also when the
    kernel killed a child of the container's process.
    """

    def __init__(self, connect: Callable[[], Client], services: Mapping[str, str], to_come: Mapping[str, str]) -> None:
        """`services` by the ids of their containers; `to_come` by the names of containers that do not exist yet."""
        self._connect = connect
        self._services, self._to_come = services, to_come
        self._ended = threading.Event()
        self._sampled = {container: threading.Event() for container in services}
        self._ooms: Counter[str] = Counter()
        self._faults: list[str] = []
        self._threads: list[threading.Thread] = []

    def start(self, emit: Callable[[Resource], None]) -> None:
        """Begin to give samples to `emit`, from several threads. Returns when there is one of each container."""
        self._emit = emit
        self._events = self._connect().events(decode=True, filters={"type": "container", "event": "oom"})
        self._begin("events", self._listen)
        for container, service in self._services.items():
            self._begin(service, self._follow, container, service)
        for name, service in self._to_come.items():
            self._begin(service, self._await, name, service)
        for sampled in self._sampled.values():
            sampled.wait(FIRST_WITHIN_S)

    def stop(self) -> None:
        """Wait for a last sample of every container. Raises `MeterFault` when samples are missing."""
        self._ended.set()
        listeners, followers = self._threads[:1], self._threads[1:]
        self._join(followers)
        if listeners:
            self._events.close()
        self._join(listeners)
        if self._faults:
            raise MeterFault("; ".join(self._faults))

    def _join(self, threads: list[threading.Thread]) -> None:
        for thread in threads:
            thread.join(ENDED_WITHIN_S)
            if thread.is_alive():
                self._faults.append(f"{thread.name}: did not end within {ENDED_WITHIN_S:g} s")

    def _begin(self, name: str, work: Callable[..., None], *arguments: str) -> None:
        def watched() -> None:
            try:
                work(*arguments)
            except Exception as error:  # noqa: BLE001 - `stop` reports whatever ended the thread
                self._faults.append(f"{name}: {error}")

        self._threads.append(threading.Thread(target=watched, name=f"meter {name}", daemon=True))
        self._threads[-1].start()

    def _listen(self) -> None:
        for event in self._events:
            self._ooms[event["Actor"]["ID"]] += 1
        if not self._ended.is_set():
            raise MeterFault("the engine has ended its events")

    def _await(self, name: str, service: str) -> None:
        """Follow the container of this name as soon as it runs; the end of the run may come first."""
        with closing(self._connect()) as client:
            while not self._ended.wait(LOOKED_FOR_EVERY_S):
                with suppress(NotFound):
                    inspected = client.inspect_container(name)
                    if inspected["State"]["Running"]:
                        self._follow(inspected["Id"], service)
                        return

    def _follow(self, container: str, service: str) -> None:
        """Sample until the end. The first sample after each start and the last one read the kernel's count of kills."""
        with closing(self._connect()) as client:
            inspected: dict[str, Any] = client.inspect_container(container)
            statistics: dict[str, Any] = {}
            started_at = ""
            try:
                while not self._ended.wait(LOOKED_FOR_EVERY_S):
                    for inspected, statistics in readings(client, container):
                        has_started = inspected["State"]["StartedAt"] != started_at
                        started_at = inspected["State"]["StartedAt"]
                        kills = _oom_kills(client, container) if has_started else UNKNOWN
                        self._emit(row(service, inspected, statistics, self._ooms[container], kills))
                        if container in self._sampled:
                            self._sampled[container].set()
                        if self._ended.is_set():
                            break
                inspected = client.inspect_container(container)
                kills = _oom_kills(client, container)
                self._emit(row(service, inspected, statistics, self._ooms[container], kills))
            except NotFound:
                inspected["State"]["Status"] = "removed"
                self._emit(row(service, inspected, statistics, self._ooms[container], UNKNOWN))


def readings(client: Client, container: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The engine's description of a container with its statistics, about once a second.

    Statistics of a container that was started after they were taken say that it has used nothing: they are left out.
    """
    for statistics in client.stats(container, stream=True, decode=True):
        inspected = client.inspect_container(container)
        if _was_running(statistics) or not inspected["State"]["Running"]:
            yield inspected, statistics


def row(
    service: str, inspected: Mapping[str, Any], statistics: Mapping[str, Any], oom_events: int, oom_kills: int
) -> Resource:
    """A sample, from the engine's description of a container and from its statistics, which a stopped one lacks."""
    state, host = inspected["State"], inspected["HostConfig"]
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
        oom_events=oom_events,
        oom_kills=oom_kills,
        cpu_us=cpu.get("cpu_usage", {}).get("total_usage", 0) // 1000,
        cpu_limit=_cpu_limit(host),
        periods=throttling.get("periods", 0),
        throttled_periods=throttling.get("throttled_periods", 0),
        throttled_us=throttling.get("throttled_time", 0) // 1000,
        memory_bytes=_memory_bytes(memory),
        memory_limit_bytes=host["Memory"],
        swap_limit_bytes=UNKNOWN if host["MemorySwap"] < 0 else host["MemorySwap"] - host["Memory"],
        pids_limit=max(0, host.get("PidsLimit") or 0),
        received_bytes=sum(network["rx_bytes"] for network in networks) if networks else UNKNOWN,
        sent_bytes=sum(network["tx_bytes"] for network in networks) if networks else UNKNOWN,
        read_bytes=_io_bytes(statistics, "read"),
        written_bytes=_io_bytes(statistics, "write"),
    )


def _at_us(read: str) -> int:
    """The engine's time in µs since the Unix epoch, or else the time now."""
    return round(datetime.fromisoformat(read).timestamp() * 1e6) if _is_time(read) else round(time.time() * 1e6)


def _was_running(statistics: Mapping[str, Any]) -> bool:
    return _is_time(statistics.get("read", ""))


def _is_time(read: str) -> bool:
    """Whether it is a time: of a container that does not run the engine gives none, or the year 1."""
    return bool(read) and not read.startswith("0001")


def _cpu_limit(host: Mapping[str, Any]) -> float:
    """The limit in cores, in both ways of giving it."""
    if host.get("NanoCpus"):
        return float(host["NanoCpus"] / 1e9)
    return float(host["CpuQuota"] / host["CpuPeriod"]) if host.get("CpuQuota") and host.get("CpuPeriod") else 0.0


def _memory_bytes(memory: Mapping[str, Any]) -> int:
    """As `docker stats` counts it: without the pages of files that were not used lately (cgroup version 1, or 2)."""
    counts = memory.get("stats", {})
    return int(memory.get("usage", 0) - counts.get("total_inactive_file", counts.get("inactive_file", 0)))


def _io_bytes(statistics: Mapping[str, Any], kind: str) -> int:
    entries = statistics.get("blkio_stats", {}).get("io_service_bytes_recursive")
    if entries is None:  # an empty list means no use; none means no answer
        return UNKNOWN
    return sum(entry["value"] for entry in entries if entry["op"].lower() == kind)


def _oom_kills(client: Client, container: str) -> int:
    """The kernel's count in the container's control group. It begins anew when the container is started."""
    try:
        _, output = execute(client, container, "cat", *OOM_COUNTERS)  # one of the two is there
    except APIError:  # it does not run
        return UNKNOWN
    count = re.search(r"^oom_kill (\d+)$", output, re.MULTILINE)
    return int(count[1]) if count else UNKNOWN
