"""The worker's side of an exact budget: users pass one request at a time, and only while there are permits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple
from uuid import uuid4

from gevent.lock import Semaphore


class Ticket(NamedTuple):
    """The right to send one request: the id it carries and the stage it belongs to."""

    request_id: str
    stage: str


class Gate:
    """Parks users that have no permit. One per process; it knows what its users sent and what was answered.

    `report` is called with the requests answered so far, each time the permits run out and each time the last request
    in flight comes back after that. Both mean: give me more, if there is more.
    """

    def __init__(self, report: Callable[[int], None]) -> None:
        self._report = report
        self.reset()

    def reset(self) -> None:
        """Forget the last run. Users of the last run must be gone."""
        self._permits = Semaphore(0)
        self._available = 0
        self._stage = ""
        self._serial = count()
        self._prefix = uuid4().hex[:12]
        self.in_flight = 0
        self.answered = 0

    def ask(self) -> None:
        """Say how far this process is, which asks for permits."""
        self._report(self.answered)

    def grant(self, permits: int, stage: str) -> None:
        """Let this many more requests through; they belong to `stage`."""
        self._stage = stage
        self._available += permits
        for _ in range(permits):
            self._permits.release()

    @contextmanager
    def admit(self) -> Iterator[Ticket]:
        """Wait for a permit, then hold it for one request, whatever comes of it."""
        self._permits.acquire()
        self._available -= 1
        self.in_flight += 1
        ticket = Ticket(f"{self._prefix}-{next(self._serial):08x}", self._stage)
        if self._available == 0:
            self.ask()
        try:
            yield ticket
        finally:
            self.in_flight -= 1
            self.answered += 1
            if self._available == 0 and self.in_flight == 0:
                self.ask()
