"""The worker's side of an exact budget: a user needs a permit for each request, and waits while there is none."""

import sys
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from typing import NamedTuple
from uuid import uuid4

from gevent import get_hub
from gevent.event import Event
from gevent.hub import Waiter

from locustfiles.generator.protocol import BudgetReport

UNDISTURBED_S = 10.0


class Permit(NamedTuple):
    """The right to send one request: the id it carries and the stage it belongs to."""

    request_id: str
    stage: str


class Permits:
    """Gives users permits, and lets them wait while there is none. One per process; it counts sent and ended requests.

    The first to wait goes first: a user that was just answered does not take the permit of a user that still waits. So
    in a rendezvous every user sends its first request before any user sends its second.

    It reports when a user finds no permit or takes the last one, and when no request is in flight and no permit is
    left. A process without users asks for none: no permit lies idle.
    """

    def __init__(self, report: Callable[[BudgetReport], None]) -> None:
        self._report = report
        self.reset()

    def reset(self) -> None:
        """Forget the last run. Its users must have left."""
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
        """How many users wait for a permit."""
        return len(self._queue)

    def open(self, stage: str) -> None:
        """Begin a stage: forget what was asked before, and ask again for the users that wait."""
        self.stage = stage
        self._asked = self._closed = False
        if self.waiting:
            self._ask()

    def grant(self, permits: int) -> None:
        """Add so many permits, and give them to the users that wait."""
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
        """Give back the permits that no user has taken, and ask for no more. Requests in flight go on."""
        self._closed = True
        self._give_back()

    def take(self) -> Permit:
        """Wait for a permit and take it. The user calls `done` when its request has ended, well or badly."""
        if self._available:
            self._begin()
        else:
            self._wait()
        if not self._available:
            self._ask()
        return Permit(f"{self.prefix}-{next(self._serial):08x}", self.stage)

    def _wait(self) -> None:
        waiter: Waiter[None] = Waiter()
        self._queue[waiter] = None
        self._ask()
        try:
            waiter.get()
        except BaseException:
            if waiter in self._queue:
                del self._queue[waiter]
            else:  # the user was stopped when its permit was on its way
                self.put_back()
            raise

    def put_back(self) -> None:
        """Take back a permit that will not be used: it goes to another user."""
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
        """Note that a request has ended."""
        self._end()
        self.answered += 1
        if self.in_flight == 0 and self._available == 0:
            self._report(BudgetReport(self.answered))

    def _give_back(self) -> None:
        returned, self._available = self._available, 0
        self._report(BudgetReport(self.answered, returned=returned))

    def _ask(self) -> None:
        if not self._asked and not self._closed:
            self._asked = True
            self._report(BudgetReport(self.answered, wanted=max(1, self.waiting)))


def _send_before_anything_is_received() -> None:
    """Let all users with a permit send before the event loop looks at the sockets again.

    The loop would look whenever the switch interval is over, and the first user would have its answer before the last
    user has sent a request. Users need two turns: one to wake up, one because Locust makes them sleep for no time.
    """
    loop, interval_s = get_hub().loop, sys.getswitchinterval()
    if interval_s < UNDISTURBED_S:
        sys.setswitchinterval(UNDISTURBED_S)
        loop.run_callback(loop.run_callback, loop.run_callback, sys.setswitchinterval, interval_s)
