"""The master's side of an exact budget: leases the requests of a stage to the workers that ask, until none is left."""

from collections import Counter
from collections.abc import Callable, Mapping
from math import ceil

from gevent.event import Event

from locustfiles.generator.protocol import BudgetReport


class Budget:
    """The requests of the current stage, leased in chunks that shrink towards the end.

    `grant(worker, permits)` hands permits to a worker.
    """

    def __init__(self, grant: Callable[[str, int], None]) -> None:
        self._grant = grant
        self._left = 0
        self._held = 0
        self._open = False
        self._leased: Counter[str] = Counter()
        self._answered: dict[str, int] = {}
        self._asking: dict[str, int] = {}
        self.spent = Event()  # the stage has no requests left, and all requests ever leased are answered

    @property
    def answered(self) -> int:
        """Requests answered in the whole run, as far as they are reported: all of them when a stage is spent."""
        return sum(self._answered.values())

    def leased(self, worker: str) -> int:
        """Requests that a worker was allowed to send in the whole run."""
        return self._leased[worker]

    def announce(self, requests: int) -> None:
        """Begin a stage of so many requests, and hold them back until it opens."""
        self._open = False
        self._left = requests
        self.spent.clear()

    def open(self, held: int) -> None:
        """Lease requests of the stage to workers that ask from now on, but hold back the last so many."""
        self._open = True
        self._held = min(held, self._left)
        self._asking.clear()
        self._settle()

    def release(self, wanted: Mapping[str, int]) -> None:
        """Lease the requests held back as well. `wanted` says how many each worker could use now."""
        self._held = 0
        self._asking |= {worker: permits for worker, permits in wanted.items() if permits}
        self._serve()

    def close(self) -> None:
        """Lease no more in this stage. It is spent when all leased requests are answered or given back."""
        self._left = self._held = 0
        self._settle()

    def report(self, worker: str, report: BudgetReport) -> None:
        """Note what a worker reports, and lease to it if it asks. An older report never takes answers back."""
        self._answered[worker] = max(report.answered, self._answered.get(worker, 0))
        self._leased[worker] -= report.returned
        if report.wanted:
            self._asking[worker] = report.wanted
        self._serve()
        self._settle()

    def _serve(self) -> None:
        while self._open and self._left > self._held and self._asking:
            worker = next(iter(self._asking))
            wanted = self._asking.pop(worker)
            free = self._left - self._held
            permits = min(free, max(wanted, ceil(free / (2 * max(1, len(self._answered))))))
            self._left -= permits
            self._leased[worker] += permits
            self._grant(worker, permits)

    def _settle(self) -> None:
        if self._open and self._left == 0 and self.answered == self._leased.total():
            self.spent.set()
