"""Lets callers through one after the other, at a rate."""

import time

import gevent


class Pacing:
    """Lets so many callers a second through at most, evenly. It does not make up for time without callers."""

    def __init__(self) -> None:
        self._interval_s = 0.0
        self._last_at = 0.0  # by the monotonic clock

    def keep(self, rate: float | None) -> None:
        """Let so many callers a second through from now on; without a rate, all at once."""
        self._interval_s = 1 / rate if rate else 0.0

    def wait(self) -> None:
        """Wait until the caller may go on."""
        now = time.monotonic()
        self._last_at = max(now, self._last_at + self._interval_s)
        if self._last_at > now:
            gevent.sleep(self._last_at - now)
