"""Lets who comes through one after the other, at a rate."""

import time

import gevent


class Spacing:
    """So many a second at most, as evenly as they come. Time in which nobody came is not made up for."""

    def __init__(self) -> None:
        self._apart_s = 0.0
        self._last_at = 0.0  # by the monotonic clock

    def keep(self, rate: float | None) -> None:
        """Let through so many a second from now on; without a rate, everybody at once."""
        self._apart_s = 1 / rate if rate else 0.0

    def wait(self) -> None:
        """Wait for one's turn."""
        now = time.monotonic()
        self._last_at = max(now, self._last_at + self._apart_s)
        if self._last_at > now:
            gevent.sleep(self._last_at - now)
