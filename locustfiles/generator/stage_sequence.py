"""The stages of a run, one after the other: what the master tells the budget and the workers of each."""

import time
from collections.abc import Callable
from typing import Any

import gevent

from locustfiles.generator.budget import Budget
from locustfiles.generator.protocol import CLOSE, OPEN
from locustfiles.generator.records.worker_records import WorkerRecords
from scenarios.formats.report_directory import Manifest
from scenarios.spec.stage import Stage

SURPLUS_CHECKED_EVERY_S = 0.02


class StageSequence:
    """Announces, opens and closes the stages of a run. `send(message, data, worker)` reaches one worker or all.

    A stage ends when all its requests are answered, so no user is ever stopped with a request in flight. A stage with
    fewer users than before opens only when the surplus is gone, for the same reason. A request for each user, and in a
    rendezvous every request, is held back until all users are there: no stage ends before it had all its users.
    """

    def __init__(self, manifest: Manifest, budget: Budget, send: Callable[..., None], records: WorkerRecords) -> None:
        self._requests = manifest.scenario.requests
        self._processes = manifest.processes
        self._stages = iter(manifest.scenario.stages)
        self._budget = budget
        self._send = send
        self._records = records
        self._timer = gevent.Greenlet()  # closes a stage that lasts a time
        self._opening: gevent.Greenlet[..., None] = gevent.Greenlet()  # opens a stage when the surplus is gone
        self._holding = False  # whether requests are held back until all users are there
        self.current: Stage | None = None  # None once all stages are over
        self.opened_at: float | None = None  # by the monotonic clock; None while no request of the stage may be sent

    def advance(self) -> None:
        """Begin the next stage, if there is one."""
        self._timer.kill()
        users_before = self.current.users if self.current is not None else 0
        self.current = next(self._stages, None)
        self.opened_at = None
        self._holding = False
        if self.current is None:
            return
        until = self.current.until_requests or self._requests
        self._budget.announce(max(0, until - self._budget.answered))
        if self.current.users < users_before:
            self._opening = gevent.spawn(self._open_without_surplus, self.current)
        else:
            self._open(self.current)

    def _open_without_surplus(self, stage: Stage) -> None:
        while self._records.users > stage.users:
            gevent.sleep(SURPLUS_CHECKED_EVERY_S)
        self._open(stage)

    def _open(self, stage: Stage) -> None:
        self.opened_at = time.monotonic()
        self._holding = True
        if stage.duration_s is not None:
            self._timer = gevent.spawn_later(stage.duration_s, self.close)
        self._budget.open(held=self._requests if stage.rendezvous else stage.users)
        self._send(OPEN, self._rates(stage))

    def _rates(self, stage: Stage) -> dict[str, Any]:
        """What a worker is told of a stage: arrivals and requests per second are its share of the stage's."""
        rate = None if stage.rendezvous else stage.spawn_rate / self._processes
        pace = stage.requests_per_s / self._processes if stage.requests_per_s else None
        return {"stage": stage.name, "rate": rate, "pace": pace}

    def welcome(self, worker: str) -> None:
        """Open the stage for a worker that joins it. What it was told before its own start of users is lost on it."""
        if self.current is not None and self.opened_at is not None:
            self._send(OPEN, self._rates(self.current), worker)

    def release_when_complete(self) -> None:
        """Lease the requests that are held back, if all users of the stage are there."""
        if not self._holding or self.current is None:
            return
        there = [sample for sample in self._records.samples.values() if sample.stage == self.current.name]
        if self.current.users == sum(sample.waiting if self.current.rendezvous else sample.users for sample in there):
            self._holding = False
            self._budget.release({worker: sample.waiting for worker, sample in self._records.samples.items()})

    def close(self) -> None:
        """Send no more requests of this stage; those in flight go on."""
        self._budget.close()
        self._send(CLOSE)

    def stop(self) -> None:
        """Open no further stage."""
        self._timer.kill(block=False)
        self._opening.kill(block=False)
