"""The worker's side of an exact budget: users pass one request at a time, and only while there are permits."""

import sys
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from typing import NamedTuple
from uuid import uuid4

from gevent import get_hub
from gevent.event import Event
from gevent.hub import Waiter

UNDISTURBED_S = 10.0


class Ticket(NamedTuple):
    """The right to send one request: the id it carries and the stage it belongs to."""

    request_id: str
    stage: str


class Report(NamedTuple):
    """What a gate has to say: requests ended in the whole run, permits it could use now, and those it gives back."""

    answered: int
    wanted: int = 0
    returned: int = 0


class Gate:
    """Parks users that have no permit. One per process; it knows what its users sent and what came to its end.

    Who came first goes first: a user that was just answered does not take the permit of one that still waits, so in a
    rendezvous each user sends a request before anybody's second is needed to use the permits up.

    It reports when a user finds no permit or takes the last one, and when the last request in flight has come back and
    no permit is left. Only who has users asks: a permit is never idle.
    """

    def __init__(self, report: Callable[[Report], None]) -> None:
        self._report = report
        self.reset()

    def reset(self) -> None:
        """Forget the last run. Users of the last run must be gone."""
        self._queue: OrderedDict[Waiter[None], None] = OrderedDict()
        self._available = 0
        self._asked = False
        self._closed = False
        self._serial = count()
        self.prefix = uuid4().hex[:12]  # of every request id of this process in this run
        self.stage = ""
        self.in_flight = 0
        self.answered = 0
        self.idle = Event()  # no request is in flight
        self.idle.set()

    @property
    def waiting(self) -> int:
        """Users that have no permit."""
        return len(self._queue)

    def open(self, stage: str) -> None:
        """Begin a stage: what was asked before is forgotten, and who is waiting asks again."""
        self.stage = stage
        self._asked = self._closed = False
        if self.waiting:
            self._ask()

    def grant(self, permits: int) -> None:
        """Let this many more requests through."""
        self._asked = False
        self._available += permits
        if self._closed:
            self._give_back()
        if self._queue:
            _send_before_anything_is_received()
        while self._available and self._queue:
            waiter, _ = self._queue.popitem(last=False)
            self._begin()
            get_hub().loop.run_callback(waiter.switch, None)

    def close(self) -> None:
        """Give back the permits that nobody has taken, and ask for no more; requests in flight go on."""
        self._closed = True
        self._give_back()

    def take(self) -> Ticket:
        """Wait for a permit and take it. Whoever has taken one says `done`, whatever came of it."""
        if self._available:
            self._begin()
        else:
            self._wait()
        if not self._available:
            self._ask()
        return Ticket(f"{self.prefix}-{next(self._serial):08x}", self.stage)

    def _wait(self) -> None:
        waiter: Waiter[None] = Waiter()
        self._queue[waiter] = None
        self._ask()
        try:
            waiter.get()
        except BaseException:
            if waiter in self._queue:
                del self._queue[waiter]
            else:  # stopped when the permit was on its way
                self.put_back()
            raise

    def put_back(self) -> None:
        """A permit was taken and will not be used: it goes to somebody else."""
        self._end()
        self.grant(1)

    def _begin(self) -> None:
        self._available -= 1
        self.in_flight += 1
        self.idle.clear()

    def _end(self) -> None:
        self.in_flight -= 1
        if self.in_flight == 0:
            self.idle.set()

    def done(self) -> None:
        """A request has come to its end."""
        self._end()
        self.answered += 1
        if self.in_flight == 0 and self._available == 0:
            self._report(Report(self.answered))

    def _give_back(self) -> None:
        returned, self._available = self._available, 0
        self._report(Report(self.answered, returned=returned))

    def _ask(self) -> None:
        if not self._asked and not self._closed:
            self._asked = True
            self._report(Report(self.answered, wanted=max(1, self.waiting)))


def _send_before_anything_is_received() -> None:
    """Let the event loop finish what it is about to begin before it looks at the sockets again.

    It would do so whenever the switch interval is over, and whoever is let through first would have its answer before
    the last has sent a request. Users need two turns: one to wake up, one since Locust makes them sleep for no time.
    """
    loop, interval_s = get_hub().loop, sys.getswitchinterval()
    if interval_s < UNDISTURBED_S:
        sys.setswitchinterval(UNDISTURBED_S)
        loop.run_callback(loop.run_callback, loop.run_callback, sys.setswitchinterval, interval_s)
