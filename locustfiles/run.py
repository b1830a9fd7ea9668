"""The part of a run that lives in the master: stages, the exact budget, the ledgers and the end."""

import csv
import time
from math import inf
from typing import Any

import gevent
from gevent.event import Event
from locust.runners import Runner

from locustfiles.budget import Budget
from locustfiles.driver import GRANT
from locustfiles.progress import Progress
from locustfiles.responses import ResponseLog
from scenarios.definition import Stage
from scenarios.ledgers import Response, Users
from scenarios.report_directory import Manifest, ReportDirectory

SAMPLE_EVERY_S = 0.25
STALLED_AFTER_S = 120.0  # longer than any request may take, connecting included: nothing is coming any more


class Run:
    """One run: leads the users through the stages and writes what they report.

    A stage ends when all its requests are answered, so no user is ever stopped with a request in flight. A stage with
    fewer users than before opens only when the surplus is gone, for the same reason.
    """

    def __init__(self, runner: Runner, manifest: Manifest, directory: ReportDirectory) -> None:
        self._runner = runner
        self._manifest = manifest
        self._directory = directory
        self._budget = Budget(self._grant)
        self._stages = iter(manifest.scenario.stages)
        self._stage: Stage | None = None
        self._closes_at = inf
        self._planned = 0  # requests of all stages up to this one
        self._spawned = Event()
        self._last_answer_at = time.monotonic()
        self._fault: str | None = None
        directory.begin(manifest)
        self.responses = ResponseLog(directory.responses_path)
        self._users = directory.generator_path.open("x", newline="", encoding="utf-8")
        self._users_writer = csv.writer(self._users, lineterminator="\n")
        self._users_writer.writerow(Users._fields)
        self._progress = Progress(manifest)
        self._next_stage()
        self._sampling = gevent.spawn(self._sample_regularly)

    # -- what the shape asks

    def tick(self) -> tuple[int, float] | None:
        """Users and spawn rate wanted now; None when every request is answered or the run cannot go on.

        Waits up to a second for the stage to end: Locust asks once a second, and the next stage should not wait for it.
        """
        if self._stage is not None and self._stage_is_over():
            self._next_stage()
        if time.monotonic() - self._last_answer_at > STALLED_AFTER_S:
            self.stop(f"nothing was answered for {STALLED_AFTER_S:g} s")
        if self._stage is None or self._fault is not None:
            return None
        return self._stage.users, self._stage.spawn_rate

    def _stage_is_over(self) -> bool:
        self._budget.spent.wait(min(1.0, max(0.0, self._closes_at - time.monotonic())))
        if time.monotonic() >= self._closes_at:
            self._closes_at = inf
            self._planned -= self._budget.close()
        return bool(self._budget.spent.is_set())

    def _next_stage(self) -> None:
        self._closes_at = inf
        self._stage = next(self._stages, None)
        if self._stage is None:
            return
        self._budget.announce()
        requests = (self._stage.until_requests or self._manifest.scenario.requests) - self._planned
        self._planned += requests
        if self._stage.users < self._runner.user_count:
            self._spawned.clear()
            gevent.spawn(self._open_when_spawned, requests)
        else:
            self._open(requests)

    def _open_when_spawned(self, requests: int) -> None:
        self._spawned.wait()
        self._open(requests)

    def _open(self, requests: int) -> None:
        assert self._stage is not None
        if self._stage.duration_s is not None:
            self._closes_at = time.monotonic() + self._stage.duration_s
        self._budget.open(requests)

    # -- what the workers say

    def spawned(self) -> None:
        """The users that the shape asked for are there, and no others."""
        self._spawned.set()

    def report(self, worker: str, answered: int) -> None:
        """A worker has answered this many requests in all, and could use more."""
        self._budget.report(worker, answered)

    def receive(self, rows: list[Any]) -> None:
        """Write rows of the client's ledger. A disk that is full ends the run, with the reason."""
        self._last_answer_at = time.monotonic()
        try:
            for row in rows:
                self.responses.write(Response(*row))
        except OSError as error:
            self.stop(f"{self._directory.responses_path}: {error.strerror}")

    def _grant(self, worker: str, permits: int) -> None:
        assert self._stage is not None
        self._runner.send_message(GRANT, {"permits": permits, "stage": self._stage.name}, worker)

    # -- the end

    def stop(self, reason: str) -> None:
        """Give up, for this reason."""
        self._fault = self._fault or reason

    def end(self) -> bool:
        """Close the ledgers and set the end mark. True when the run is complete."""
        self._sampling.kill()
        self._sample()
        self._users.close()
        self.responses.close()
        complete = self._fault is None and self.responses.rows == self._manifest.scenario.requests
        reason = (
            "every request was answered" if complete else self._fault or "stopped before every request was answered"
        )
        self._progress.end(self.responses, reason)
        self._directory.end(self._manifest, complete=complete, reason=reason)
        return complete

    def _sample_regularly(self) -> None:
        while True:
            self._sample()
            gevent.sleep(SAMPLE_EVERY_S)

    def _sample(self) -> None:
        stage = self._stage.name if self._stage is not None else ""
        users = Users(round(time.time() * 1e6), stage, self._runner.user_count)
        if stage:
            self._users_writer.writerow(users)
        self._progress.show(users, self.responses, self._runner.stats.total)
