"""The part of a run that lives in the master: stages, the exact budget, the ledgers and the end."""

import time
from collections import Counter

import gevent
from locust.runners import STATE_MISSING, MasterRunner, Runner

from locustfiles.budget import Budget
from locustfiles.driver import ABANDON, CLOSE, GRANT, LAST_ANSWERS_WITHIN_S, OPEN
from locustfiles.gate import Report
from locustfiles.ledgers import GeneratorLog, ResponseLog
from locustfiles.progress import Progress
from locustfiles.split import Split
from scenarios.definition import Scenario, Stage
from scenarios.ledgers import Pulse, Response
from scenarios.report_directory import Manifest, ReportDirectory

SHOW_EVERY_S = 0.25
LOOKED_AT_LEAST_EVERY_S = 1.0
SURPLUS_CHECKED_EVERY_S = 0.02
LAST_ROWS_WITHIN_S = 2.0
STALLED_AFTER_S = 120.0  # longer than any request may take, connecting included: nothing is coming any more


class Run:
    """One run: leads the users through the stages and writes what they report.

    A stage ends when all its requests are answered, so no user is ever stopped with a request in flight. A stage with
    fewer users than before opens only when the surplus is gone, for the same reason. A request for each user, and in a
    rendezvous every request, is held back until all users are there: no stage is over before it had its users.
    """

    def __init__(self, runner: Runner, manifest: Manifest, directory: ReportDirectory) -> None:
        self._runner = runner
        self._manifest = manifest
        self._directory = directory
        self._budget = Budget(self._grant)
        self._stages = iter(manifest.scenario.stages)
        self._stage: Stage | None = None
        self._timer = gevent.Greenlet()  # closes a stage that lasts a time
        self._opening: gevent.Greenlet[..., None] = gevent.Greenlet()  # opens a stage when the surplus is gone
        self._open = False  # whether requests of the stage may be sent yet
        self._holding = False  # whether some of them are held back until all users are there
        self._began_at = time.monotonic()
        self._last_sign_at = self._began_at  # that the run goes on: an answer, or other users
        self._looked_at = self._began_at  # at the split, when all had spoken
        self._ended_at: float | None = None
        self._fault: str | None = None
        self._unwritten: OSError | None = None  # why the ledgers lack what was received
        self.reason = ""  # why it ended
        directory.begin(manifest)
        self._responses = ResponseLog(directory.responses_path)
        self.split = Split(manifest.claim)
        self._generator = GeneratorLog(directory.generator_path)
        self._pulse_of: dict[str, Pulse] = {}
        self._rows_of: Counter[str] = Counter()
        self._in_flight_of: Counter[str] = Counter()
        self._heard: set[str] = set()  # since the last look at the split
        self._progress = Progress(manifest)
        self._next_stage()
        self._showing = gevent.spawn(self._show_regularly)

    # -- what the shape asks

    def tick(self) -> tuple[int, float] | None:
        """Users and spawn rate wanted now; None when every request is answered or the run cannot go on.

        Waits up to a second for the stage to end: Locust asks once a second, and the next stage should not wait for it.
        """
        if self._stage is not None and self._budget.spent.wait(1.0) and self._fault is None:
            self._next_stage()
        if self._open and time.monotonic() - self._last_sign_at > STALLED_AFTER_S:
            self.stop(f"nothing was answered for {STALLED_AFTER_S:g} s")
        self._miss_workers()
        if self._fault is not None:
            self._let_answers_come()
            return None
        return (self._stage.users, self._stage.spawn_rate) if self._stage is not None else None

    def _next_stage(self) -> None:
        self._timer.kill()
        users_before = self._stage.users if self._stage is not None else 0
        self._stage = next(self._stages, None)
        if self._stage is None:
            return
        until = self._stage.until_requests or self._manifest.scenario.requests
        self._budget.announce(max(0, until - self._budget.answered))
        self._open = self._holding = False
        if self._stage.users < users_before:
            self._opening = gevent.spawn(self._open_without_the_surplus, self._stage)
        else:
            self._open_stage(self._stage)

    def _open_without_the_surplus(self, stage: Stage) -> None:
        while self.users > stage.users:
            gevent.sleep(SURPLUS_CHECKED_EVERY_S)
        self._open_stage(stage)

    def _open_stage(self, stage: Stage) -> None:
        self._open = self._holding = True
        self._last_sign_at = time.monotonic()
        if stage.duration_s is not None:
            self._timer = gevent.spawn_later(stage.duration_s, self._close)
        self._budget.open(held=self._manifest.scenario.requests if stage.rendezvous else stage.users)
        self._send_open(stage)

    def _send_open(self, stage: Stage, worker: str | None = None) -> None:
        processes = self._manifest.processes
        rate = None if stage.rendezvous else stage.spawn_rate / processes
        pace = stage.requests_per_s / processes if stage.requests_per_s else None
        self._runner.send_message(OPEN, {"stage": stage.name, "rate": rate, "pace": pace}, worker)

    def _release_when_all_are_there(self) -> None:
        assert self._stage is not None
        there = [pulse for pulse in self._pulse_of.values() if pulse.stage == self._stage.name]
        if self._stage.users == sum(pulse.waiting if self._stage.rendezvous else pulse.users for pulse in there):
            self._holding = False
            self._budget.release({worker: pulse.waiting for worker, pulse in self._pulse_of.items()})

    def _close(self) -> None:
        self._budget.close()
        self._runner.send_message(CLOSE)

    # -- what the workers say

    def report(self, worker: str, report: Report) -> None:
        """A worker says how far it is."""
        self._budget.report(worker, report)

    def receive(self, worker: str, responses: list[Response], pulses: list[Pulse], in_flight: int) -> None:
        """Write what a worker has recorded until it had so many in flight. A full disk ends the run."""
        try:
            self._generator.write(pulses)
            self._responses.write(responses)
            self.split.take(responses)
        except OSError as error:
            self._unwritten = error
            self.stop(f"{self._directory.path}: {error.strerror}")
        self._rows_of[worker] += len(responses)
        users = self.users
        if pulses:
            self._greet(worker)
            self._pulse_of[worker] = pulses[-1]
        if responses or self.users != users:
            self._last_sign_at = time.monotonic()
        if pulses and self._holding:
            self._release_when_all_are_there()
        self._in_flight_of[worker] = in_flight
        self._heard.add(worker)
        self._look_at_the_split()

    def _look_at_the_split(self) -> None:
        """Look when all have spoken, if they still do: what one sent since the others spoke nobody has counted yet."""
        now = time.monotonic()
        if self._heard >= self._pulse_of.keys() or now - self._looked_at > LOOKED_AT_LEAST_EVERY_S:
            self._heard.clear()
            self._looked_at = now
            self.split.look(self.seconds, self._in_flight_of.total())

    def _greet(self, worker: str) -> None:
        """A worker begins when it is first told to start users: what it was told before is lost on it."""
        if worker not in self._pulse_of and self._open:
            assert self._stage is not None
            self._send_open(self._stage, worker)

    def _grant(self, worker: str, permits: int) -> None:
        self._runner.send_message(GRANT, {"permits": permits}, worker)

    def _miss_workers(self) -> None:
        """Give up when a worker is gone: what it was allowed to send and did not report may have been sent."""
        lost = [worker for worker in self._pulse_of if self._is_lost(worker)]
        if lost:
            unknown = sum(self._budget.leased(worker) - self._rows_of[worker] for worker in lost)
            self.stop(f"{', '.join(lost)} was lost, and whether {unknown:,} of its requests were sent is not known")

    def _is_lost(self, worker: str) -> bool:
        if not isinstance(self._runner, MasterRunner):
            return False
        node = self._runner.clients.get(worker)
        return node is None or node.state == STATE_MISSING

    # -- the end

    def stop(self, reason: str) -> None:
        """Give up for this reason: send nothing more, and let the answers to what was sent come in."""
        if self._fault is None:
            self._fault = reason
            self._opening.kill(block=False)
            self._close()

    def halt(self) -> None:
        """Locust is about to stop the users. If that comes before the end of the run, it comes from outside."""
        if self._stage is not None and self._fault is None:
            self._miss_workers()
            self.stop("it was stopped")
            if isinstance(self._runner, MasterRunner):  # a single process lets its own users see the end
                self._let_answers_come()

    def has(self, worker: str) -> bool:
        """Whether this worker takes part, or took part."""
        return worker in self._pulse_of

    def _let_answers_come(self) -> None:
        """Wait for the end of the requests in flight, and then no longer: users that still wait are stopped."""
        if not self._budget.spent.wait(LAST_ANSWERS_WITHIN_S):
            self._runner.send_message(ABANDON)
            self._budget.spent.wait(LAST_ROWS_WITHIN_S)

    def end(self) -> bool:
        """Close the ledgers and set the end mark. True when the run is complete.

        Raises `OSError`, and sets no mark, when something could not be written.
        """
        if self.split.rows < self._manifest.scenario.requests:
            self._miss_workers()
        for greenlet in (self._showing, self._timer, self._opening):
            greenlet.kill()
        complete = self._fault is None and self.split.rows == self._manifest.scenario.requests
        reason = self._fault or "it ended before every request was sent"
        if complete:
            reason = "every request has come to its end" if self.split.failed else "every request was answered"
        self._ended_at = time.monotonic()
        self.reason = reason
        self.split.finish(self.seconds, 0 if complete else self._in_flight_of.total())
        self._progress.end(self.split, reason)
        self._generator.close()
        self._responses.close()
        if self._unwritten is not None:
            raise self._unwritten
        self._directory.end(self._manifest, complete=complete, reason=reason)
        return complete

    # -- what is shown of it

    @property
    def scenario(self) -> Scenario:
        """What is run, as it was asked for."""
        return self._manifest.scenario

    @property
    def directory(self) -> ReportDirectory:
        """Where its evidence is."""
        return self._directory

    @property
    def processes(self) -> int:
        """How many have users."""
        return len(self._pulse_of)

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
        return self._stage.name if self._stage is not None and self._open else ""

    @property
    def users(self) -> int:
        """How many there are."""
        return sum(pulse.users for pulse in self._pulse_of.values())

    def _show_regularly(self) -> None:
        while True:
            self._progress.show(self.stage, self.users, self.split, self._runner.stats.total)
            gevent.sleep(SHOW_EVERY_S)
