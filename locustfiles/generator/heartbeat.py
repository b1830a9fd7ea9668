"""Samples of a process: its users, connections and requests in flight, its CPU and memory, its lateness."""

import time
from collections.abc import Callable
from math import ceil

import gevent
import psutil

from locustfiles.generator.arrivals import Arrivals
from locustfiles.generator.permits import Permits
from locustfiles.generator.transport.endpoint import Endpoint
from scenarios.formats.rows import SAMPLE_EVERY_S, GeneratorSample


class Heartbeat:
    """Takes a sample every `SAMPLE_EVERY_S` and hands it to `emit`.

    A sample says how late it is. An event loop that is busy for long delays one sample, and everything else that waits
    for the loop. The samples that fall into that time are left out here: the analysis makes up for them.
    """

    def __init__(
        self, arrivals: Arrivals, permits: Permits, endpoint: Endpoint, emit: Callable[[GeneratorSample], None]
    ) -> None:
        self._arrivals = arrivals
        self._permits = permits
        self._endpoint = endpoint
        self._emit = emit
        self._process = psutil.Process()
        self._sampling = gevent.spawn(self._sample_regularly)

    def stop(self) -> None:
        """Take the last sample."""
        self._sampling.kill()
        self._emit(self._sample(late_s=0.0))

    def _sample_regularly(self) -> None:
        due = time.monotonic()
        while True:
            late_s = time.monotonic() - due
            due += SAMPLE_EVERY_S * max(1, ceil(late_s / SAMPLE_EVERY_S))
            self._emit(self._sample(late_s))
            gevent.sleep(max(0.0, due - time.monotonic()))

    def _sample(self, late_s: float) -> GeneratorSample:
        return GeneratorSample(
            at_us=time.time_ns() // 1000,
            process=self._permits.prefix,
            stage=self._permits.stage,
            users=self._arrivals.users,
            connections=self._endpoint.connections,
            connects=self._endpoint.connects,
            waiting=self._permits.waiting,
            in_flight=self._permits.in_flight,
            lag_us=round(late_s * 1e6),
            cpu_us=time.process_time_ns() // 1000,
            memory_bytes=self._process.memory_info().rss,
        )
