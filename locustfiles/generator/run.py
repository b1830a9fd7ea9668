"""One run of the master, or of a single process: its stages, its exact budget, its ledgers and its end."""

import time

import gevent
from locust.runners import STATE_MISSING, MasterRunner, Runner

from locustfiles.generator.budget import Budget
from locustfiles.generator.progress import Progress
from locustfiles.generator.protocol import ABANDON, GRANT, LAST_ANSWERS_WITHIN_S, BudgetReport
from locustfiles.generator.records.live_split import LiveSplit
from locustfiles.generator.records.worker_records import WorkerRecords
from locustfiles.generator.stage_sequence import StageSequence
from scenarios.formats.report_directory import Manifest, ReportDirectory
from scenarios.formats.rows import GeneratorSample, Response
from scenarios.spec.scenario import Scenario

SHOW_EVERY_S = 0.25
LAST_ROWS_WITHIN_S = 2.0
STALLED_AFTER_S = 120.0  # longer than any request may take, connecting included: no answer will come any more


class Run:
    """One run: leads the users through the stages, and records what the workers report."""

    def __init__(self, runner: Runner, manifest: Manifest, directory: ReportDirectory) -> None:
        directory.begin(manifest)
        self._runner = runner
        self._manifest = manifest
        self.directory = directory
        self._records = WorkerRecords(directory, manifest.claim)
        self._budget = Budget(self._grant)
        self._stages = StageSequence(manifest, self._budget, runner.send_message, self._records)
        self._began_at = self._last_sign_at = time.monotonic()  # the last sign of life: an answer, or other users
        self._ended_at: float | None = None
        self._fault: str | None = None  # why it ends early
        self._has_awaited_answers = False
        self.reason = ""  # why it ended
        self._progress = Progress(manifest)
        self._stages.advance()
        self._showing = gevent.spawn(self._show_regularly)

    # -- what Locust asks

    def tick(self) -> tuple[int, float] | None:
        """Users and spawn rate wanted now; None when every request is answered or the run cannot go on.

        Waits up to a second for the end of the stage: Locust asks once a second, and the next stage should not wait.
        """
        if self._stages.current is not None and self._budget.spent.wait(1.0) and self._fault is None:
            self._stages.advance()
        self._stop_if_stalled()
        self._stop_if_a_worker_is_lost()
        if self._fault is not None:
            self._await_answers()
            return None
        stage = self._stages.current
        return (stage.users, stage.spawn_rate) if stage is not None else None

    def on_stopping(self) -> None:
        """Prepare for the stop of all users. Before the end of the run, the order to stop came from outside."""
        if self._stages.current is None:
            return
        if self._fault is None:
            self._stop_if_a_worker_is_lost()
            self.stop("it was stopped")
        if isinstance(self._runner, MasterRunner):  # in a single process the users' side awaits the answers
            self._await_answers()

    def _await_answers(self) -> None:
        """Wait for the end of the requests in flight, for a limited time: then end them as they are."""
        if self._has_awaited_answers:
            return
        if not self._budget.spent.wait(LAST_ANSWERS_WITHIN_S):
            self._runner.send_message(ABANDON)
            self._budget.spent.wait(LAST_ROWS_WITHIN_S)
        self._has_awaited_answers = True

    # -- what the workers say

    def report(self, worker: str, report: BudgetReport) -> None:
        """Note how far a worker is, and lease requests to it."""
        self._budget.report(worker, report)

    def receive(self, worker: str, responses: list[Response], samples: list[GeneratorSample], in_flight: int) -> None:
        """Record what a worker sent when it had so many requests in flight. A full disk ends the run."""
        users = self.users
        if samples and not self.has(worker):
            self._stages.welcome(worker)
        self._records.receive(worker, responses, samples, in_flight)
        if self._records.unwritten is not None:
            self.stop(f"{self.directory.path}: {self._records.unwritten.strerror}")
        if responses or self.users != users:
            self._last_sign_at = time.monotonic()
        if samples:
            self._stages.release_when_complete()

    def has(self, worker: str) -> bool:
        """Whether this worker takes part, or took part."""
        return worker in self._records.samples

    def _grant(self, worker: str, permits: int) -> None:
        self._runner.send_message(GRANT, {"permits": permits}, worker)

    # -- the end

    def stop(self, reason: str) -> None:
        """End early for this reason: send no more requests, and let the answers to those in flight come."""
        if self._fault is None:
            self._fault = reason
            self._stages.stop()
            self._stages.close()

    def _stop_if_stalled(self) -> None:
        opened_at = self._stages.opened_at
        if opened_at is not None and time.monotonic() - max(opened_at, self._last_sign_at) > STALLED_AFTER_S:
            self.stop(f"nothing was answered for {STALLED_AFTER_S:g} s")

    def _stop_if_a_worker_is_lost(self) -> None:
        """Give up when a worker is gone: it may have sent requests that it was allowed to and did not report."""
        lost = [worker for worker in self._records.samples if self._is_lost(worker)]
        if lost:
            unknown = sum(self._budget.leased(worker) - self._records.rows[worker] for worker in lost)
            self.stop(f"{', '.join(lost)} was lost, and whether {unknown:,} of its requests were sent is not known")

    def _is_lost(self, worker: str) -> bool:
        if not isinstance(self._runner, MasterRunner):
            return False
        node = self._runner.clients.get(worker)
        return node is None or node.state == STATE_MISSING

    def end(self) -> bool:
        """Close the ledgers and set the end mark. Returns whether the run is complete.

        Raises `OSError`, and sets no mark, when something could not be written. It waits for no other greenlet: Locust
        may kill the one that calls it.
        """
        if self.split.requests < self.scenario.requests:
            self._stop_if_a_worker_is_lost()
        self._stages.stop()
        self._showing.kill(block=False)
        complete = self._fault is None and self.split.requests == self.scenario.requests
        self.reason = self._fault or "it ended before every request was sent"
        if complete:
            self.reason = "every request has come to its end" if self.split.failed else "every request was answered"
        self._ended_at = time.monotonic()
        self._records.end(complete=complete)
        self._progress.end(self.split, self.reason)
        self._records.close()
        self.directory.end(self._manifest, complete=complete, reason=self.reason)
        return complete

    # -- what is shown of it

    @property
    def scenario(self) -> Scenario:
        """The scenario of this run, scaled as it was asked for."""
        return self._manifest.scenario

    @property
    def split(self) -> LiveSplit:
        """The split so far."""
        return self._records.split

    @property
    def processes(self) -> int:
        """How many processes have users, or had users."""
        return len(self._records.samples)

    @property
    def seconds(self) -> float:
        """How long it goes on, or went on."""
        return (self._ended_at or time.monotonic()) - self._began_at

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._ended_at is not None

    @property
    def stage(self) -> str:
        """The stage whose requests are being sent; empty between two stages."""
        stage = self._stages.current
        return stage.name if stage is not None and self._stages.opened_at is not None else ""

    @property
    def users(self) -> int:
        """How many users there are."""
        return self._records.users

    def _show_regularly(self) -> None:
        while True:
            self._progress.show(self.stage, self.users, self.split, self._runner.stats.total)
            gevent.sleep(SHOW_EVERY_S)
