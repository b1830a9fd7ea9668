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


class Report(NamedTuple):
    """What a gate has to say: requests answered in the whole run, whether it wants permits, and those it gives back."""

    answered: int
    wants_more: bool = False
    returned: int = 0


class Gate:
    """Parks users that have no permit. One per process; it knows what its users sent and what was answered.

    It reports when a user finds no permit or takes the last one, and when the last request in flight has come back and
    no permit is left. Only who has users asks: a permit is never idle.
    """

    def __init__(self, report: Callable[[Report], None]) -> None:
        self._report = report
        self.reset()

    def reset(self) -> None:
        """Forget the last run. Users of the last run must be gone."""
        self._permits = Semaphore(0)
        self._available = 0
        self._waiting = 0
        self._asked = False
        self._stage = ""
        self._serial = count()
        self._prefix = uuid4().hex[:12]
        self.in_flight = 0
        self.answered = 0

    def open(self) -> None:
        """Begin a stage: what was asked before is forgotten, and who is waiting asks again."""
        self._asked = False
        if self._waiting:
            self._ask()

    def grant(self, permits: int, stage: str) -> None:
        """Let this many more requests through; they belong to `stage`."""
        self._asked = False
        self._stage = stage
        self._available += permits
        for _ in range(permits):
            self._permits.release()

    def close(self) -> None:
        """Give back the permits that nobody has taken; requests in flight go on."""
        returned = 0
        while self._permits.acquire(blocking=False):
            returned += 1
        self._available -= returned
        self._report(Report(self.answered, returned=returned))

    @contextmanager
    def admit(self) -> Iterator[Ticket]:
        """Wait for a permit, then hold it for one request, whatever comes of it."""
        self._wait()
        self._available -= 1
        self.in_flight += 1
        ticket = Ticket(f"{self._prefix}-{next(self._serial):08x}", self._stage)
        if self._available == 0:
            self._ask()
        try:
            yield ticket
        finally:
            self.in_flight -= 1
            self.answered += 1
            if self._available == 0 and self.in_flight == 0:
                self._report(Report(self.answered))

    def _wait(self) -> None:
        self._waiting += 1
        try:
            if self._available == 0:
                self._ask()
            self._permits.acquire()
        finally:
            self._waiting -= 1

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            self._report(Report(self.answered, wants_more=True))
