"""The master's side of an exact budget: leases the requests of a stage to whoever asks, until none is left."""

from collections.abc import Callable
from math import ceil

from gevent.event import Event


class Budget:
    """The requests of the current stage, leased in chunks that shrink as the end comes near.

    `grant(worker, permits)` hands permits to a worker. Between `announce` and `open` a stage is on, but its requests
    are held back.
    """

    def __init__(self, grant: Callable[[str, int], None]) -> None:
        self._grant = grant
        self._left = 0
        self._leased = 0
        self._answered: dict[str, int] = {}
        self._hungry: dict[str, None] = {}
        self.spent = Event()  # every request leased so far is answered, and the stage has none left
        self.spent.set()

    @property
    def answered(self) -> int:
        """Requests answered in the whole run, as far as the workers have said."""
        return sum(self._answered.values())

    def announce(self) -> None:
        """A stage is on: there is something left to do, even while its requests are held back."""
        self.spent.clear()

    def open(self, requests: int) -> None:
        """Begin to lease the requests of the stage."""
        self._left = requests
        self._serve()
        self._settle()

    def close(self) -> int:
        """Lease no more in this stage; returns the requests that were left. `spent` follows when all are answered."""
        left, self._left = self._left, 0
        self._settle()
        return left

    def report(self, worker: str, answered: int) -> None:
        """A worker says how many requests it has answered in this run, and that it could use more."""
        self._answered[worker] = answered
        self._hungry[worker] = None
        self._serve()
        self._settle()

    def _serve(self) -> None:
        while self._left and self._hungry:
            worker = next(iter(self._hungry))
            del self._hungry[worker]
            permits = ceil(self._left / (2 * max(1, len(self._answered))))
            self._left -= permits
            self._leased += permits
            self._grant(worker, permits)

    def _settle(self) -> None:
        if self._left == 0 and self.answered == self._leased:
            self.spent.set()
