"""The master's side of an exact budget: leases the requests of a stage to whoever asks, until none is left."""

from collections.abc import Callable
from math import ceil

from gevent.event import Event

from locustfiles.gate import Report


class Budget:
    """The requests of the current stage, leased in chunks that shrink as the end comes near.

    `grant(worker, permits)` hands permits to a worker.
    """

    def __init__(self, grant: Callable[[str, int], None]) -> None:
        self._grant = grant
        self._left = 0
        self._leased = 0
        self._open = False
        self._answered: dict[str, int] = {}
        self._asking: dict[str, None] = {}
        self.spent = Event()  # the stage has no requests left, and all that were ever leased are answered

    @property
    def answered(self) -> int:
        """Requests answered in the whole run, as far as was reported: all of them when a stage is spent."""
        return sum(self._answered.values())

    def announce(self, requests: int) -> None:
        """Begin a stage of so many requests, and hold them back until it opens."""
        self._open = False
        self._left = requests
        self.spent.clear()

    def open(self) -> None:
        """Lease the requests of the stage to those who ask from now on."""
        self._open = True
        self._asking.clear()
        self._settle()

    def close(self) -> None:
        """Lease no more in this stage. It is spent when what was leased is answered or given back."""
        self._left = 0
        self._settle()

    def report(self, worker: str, report: Report) -> None:
        """Take note of what a worker reports, and serve it if it asks."""
        self._answered[worker] = report.answered
        self._leased -= report.returned
        if report.wants_more:
            self._asking[worker] = None
        self._serve()
        self._settle()

    def _serve(self) -> None:
        while self._open and self._left and self._asking:
            worker = next(iter(self._asking))
            del self._asking[worker]
            permits = ceil(self._left / (2 * len(self._answered)))
            self._left -= permits
            self._leased += permits
            self._grant(worker, permits)

    def _settle(self) -> None:
        if self._open and self._left == 0 and self.answered == self._leased:
            self.spent.set()
