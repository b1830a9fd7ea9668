"""What a process says about itself: its users, connections and requests in flight, its CPU and memory, its lateness."""

import time
from collections.abc import Callable
from math import ceil

import gevent
import psutil

from locustfiles.entrance import Entrance
from locustfiles.gate import Gate
from locustfiles.http import Server
from scenarios.ledgers import PULSE_EVERY_S, Pulse


class Heart:
    """Beats every `PULSE_EVERY_S` and gives each beat to `emit`.

    A beat says how late it is. A loop that is busy for long delays one beat, and what else waits for it meanwhile: the
    beats that fall into that time are not made up for here but when they are counted.
    """

    def __init__(self, entrance: Entrance, gate: Gate, server: Server, emit: Callable[[Pulse], None]) -> None:
        self._entrance = entrance
        self._gate = gate
        self._server = server
        self._emit = emit
        self._process = psutil.Process()
        self._beating = gevent.spawn(self._beat)

    def stop(self) -> None:
        """Beat a last time, and no more."""
        self._beating.kill()
        self._emit(self._pulse(late_s=0.0))

    def _beat(self) -> None:
        due = time.monotonic()
        while True:
            late_s = time.monotonic() - due
            due += PULSE_EVERY_S * max(1, ceil(late_s / PULSE_EVERY_S))
            self._emit(self._pulse(late_s))
            gevent.sleep(max(0.0, due - time.monotonic()))

    def _pulse(self, late_s: float) -> Pulse:
        return Pulse(
            at_us=time.time_ns() // 1000,
            process=self._gate.prefix,
            stage=self._gate.stage,
            users=self._entrance.users,
            connections=self._server.connections,
            connects=self._server.connects,
            waiting=self._gate.waiting,
            in_flight=self._gate.in_flight,
            lag_us=round(late_s * 1e6),
            cpu_us=time.process_time_ns() // 1000,
            memory_bytes=self._process.memory_info().rss,
        )
