"""The part of the master, or of a single process: one run after the other, each with its own report directory."""

import sys
from collections.abc import Callable
from typing import Any

from gevent.event import AsyncResult
from locust import runners
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import MasterRunner

from locustfiles.generator import options, signals
from locustfiles.generator.protocol import (
    IN_FLIGHT,
    LAST_ANSWERS_WITHIN_S,
    REPORT,
    RESPONSE_ROWS,
    SAMPLE_ROWS,
    BudgetReport,
)
from locustfiles.generator.records.row_packing import unpacked
from locustfiles.generator.run import Run
from scenarios.formats.rows import GeneratorSample, Response
from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import Scenario

SILENT_FOR_S = 10  # a worker that sends for all its users in one turn is silent meanwhile; Locust gives it three
REFUSED = 2
ABORTED = 3


class Master:
    """Begins a run when Locust does, hands it what the workers say, and ends it when Locust does.

    Locust only logs what a listener raises, and goes on. So an error that keeps a run from beginning is stored and
    printed here, and ends Locust's run at its next tick.
    """

    def __init__(self, environment: Environment, scenario: Callable[[], Scenario]) -> None:
        assert environment.runner is not None
        self._environment = environment
        self._runner = environment.runner
        self.chosen = scenario  # the scenario of a run that begins now
        self._run: Run | None = None
        self.latest: Run | None = None  # the run that goes on, or else the last one
        self.runs = 0
        self.error_text = ""  # why the last run could not begin, or could not be kept
        self.begun: AsyncResult[bool] = AsyncResult()  # whether the next run could begin
        self._refused = False
        self._is_ending = False  # Locust, before its run
        options.manifest(environment, scenario())  # refuses now what it would otherwise refuse when users start
        environment.events.test_start.add_listener(self._begin)
        environment.events.test_stop.add_listener(self._end)
        environment.events.quitting.add_listener(self._end_before_locust)
        runners.HEARTBEAT_LIVENESS = SILENT_FOR_S  # Locust has no option for it
        self._runner.register_message(REPORT, self._report)
        environment.events.worker_report.add_listener(self._receive)
        if isinstance(self._runner, MasterRunner):
            signals.end_workers_at_exit()
        if environment.parsed_options is not None and environment.parsed_options.headless:
            signals.hand_over(self._end_headless)
        else:
            signals.sigint_to_locust()

    def tick(self) -> tuple[int, float] | None:
        """Users and spawn rate wanted now, those of the first stage before the run has begun; None ends the run."""
        if self._run is not None:
            return self._run.tick()
        if self._refused:
            self._refused = False
            return None
        first = options.scaled(self._environment, self.chosen()).stages[0]
        return first.users, first.spawn_rate

    def _begin(self, **_: Any) -> None:
        self._environment.stop_timeout = LAST_ANSWERS_WITHIN_S  # for users that Locust moves from worker to worker
        self.error_text = ""
        try:
            scenario = self.chosen()
            manifest = options.manifest(self._environment, scenario)  # lets other greenlets run meanwhile
            if self._is_ending:
                return
            self._run = Run(self._runner, manifest, options.report_directory(self._environment, scenario))
        except (OSError, UsageError) as error:
            self._refuse(error)
        except Exception as error:
            self._refuse(UsageError(repr(error)))
            raise
        else:
            self.latest = self._run
            self.runs += 1
            self.begun.set(True)

    def on_stopping(self, **_: Any) -> None:
        """Prepare for the stop of all users, because the run is over or because Locust was told to."""
        if self._run is not None:
            self._run.on_stopping()

    def _end(self, **_: Any) -> None:
        if self._run is None:
            return
        run, self._run = self._run, None
        try:
            complete = run.end()
        except OSError as error:
            self.report_error(error)
        else:
            self._environment.process_exit_code = None if complete else ABORTED

    def _refuse(self, error: OSError | UsageError) -> None:
        self.report_error(error)
        self._refused = True
        self.begun.set(False)

    def take_error(self) -> str:
        """Take out the reason why the last run could not begin."""
        error_text, self.error_text = self.error_text, ""
        return error_text

    def report_error(self, error: OSError | UsageError) -> None:
        """Print what went wrong with the run, and keep it for the web interface."""
        self.error_text = (
            f"{error.filename or 'the report'}: {error.strerror}" if isinstance(error, OSError) else str(error)
        )
        print(f"locust: {self.error_text}", file=sys.stderr)
        self._environment.process_exit_code = REFUSED

    def interrupt(self) -> None:
        """End the run that goes on, if there is one."""
        if self._run is not None:
            self._run.stop("it was interrupted")

    def _end_headless(self, number: int) -> None:
        """End the run in order, or Locust before its run. After its run, Locust ends without being told."""
        self.interrupt()
        if self.latest is None:
            self._is_ending = True
            self._environment.process_exit_code = signals.exit_code(number)
            self._runner.quit()
            sys.exit(signals.exit_code(number))

    def _end_before_locust(self, **_: Any) -> None:
        """End the run when Locust ends, before Locust asks for the exit code."""
        if self._run is not None:
            self.interrupt()
            self._runner.quit()

    def _report(self, msg: Message, **_: Any) -> None:
        if self._run is not None and self._knows(msg.node_id):
            self._run.report(msg.node_id, BudgetReport(**msg.data))

    def _receive(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        if self._run is not None and self._knows(client_id):
            responses = list(unpacked(data.get(RESPONSE_ROWS, {}), Response))
            samples = list(unpacked(data.get(SAMPLE_ROWS, {}), GeneratorSample))
            self._run.receive(client_id, responses, samples, data.get(IN_FLIGHT, 0))

    def _knows(self, worker: str) -> bool:
        """Whether this is a worker of this master: an earlier master on its port may have left workers behind."""
        if not isinstance(self._runner, MasterRunner) or worker in self._runner.clients:
            return True
        return self._run is not None and self._run.has(worker)  # it has left the run since
