"""The master's part, or a single process's: one run after the other, each with a report directory of its own."""

import signal
import sys
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import AsyncResult
from locust import runners
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import MasterRunner

from locustfiles import options
from locustfiles.driver import IN_FLIGHT, LAST_ANSWERS_WITHIN_S, PULSE_ROWS, REPORT, RESPONSE_ROWS
from locustfiles.gate import Report
from locustfiles.rows import unpacked
from locustfiles.run import Run
from scenarios.definition import Scenario
from scenarios.errors import UsageError
from scenarios.ledgers import Pulse, Response

SILENT_FOR_S = 10  # a worker that sends for all its users in one turn says nothing meanwhile; Locust gives it three
REFUSED = 2
ABORTED = 3


class Leader:
    """Begins a run when Locust does, hands it what the workers say, and ends it when Locust does.

    Locust only logs what a listener raises, and goes on. What keeps a run from beginning is therefore kept, said, and
    ends Locust's run at its next tick.
    """

    def __init__(self, environment: Environment, scenario: Callable[[], Scenario]) -> None:
        assert environment.runner is not None
        self._environment = environment
        self._runner = environment.runner
        self.chosen = scenario  # what a run that begins now would be
        self._run: Run | None = None
        self.latest: Run | None = None  # that goes on, or else the last one
        self.runs = 0
        self.complaint = ""  # why the last one could not begin, or be kept
        self.begun: AsyncResult[bool] = AsyncResult()  # whether the next one could
        self._refused = False
        self._signals: list[Any] = []
        options.manifest(environment, scenario())  # refuses now what could otherwise only be refused when users start
        environment.events.test_start.add_listener(self._begin)
        environment.events.test_stop.add_listener(self._end)
        runners.HEARTBEAT_LIVENESS = SILENT_FOR_S  # there is no other way to say it
        self._runner.register_message(REPORT, self._report)
        environment.events.worker_report.add_listener(self._receive)

    def tick(self) -> tuple[int, float] | None:
        """Users and spawn rate wanted now, before the run has begun those of the first stage; None ends the run."""
        if self._run is not None:
            return self._run.tick()
        if self._refused:
            self._refused = False
            return None
        first = options.scaled(self._environment, self.chosen()).stages[0]
        return first.users, first.spawn_rate

    def _begin(self, **_: Any) -> None:
        if self._environment.parsed_options is not None and self._environment.parsed_options.headless:
            # Locust would let them strike any greenlet, or end at once
            self._signals = [
                gevent.signal_handler(number, self.interrupt) for number in (signal.SIGINT, signal.SIGTERM)
            ]
        self._environment.stop_timeout = LAST_ANSWERS_WITHIN_S  # for users that Locust moves from worker to worker
        self.complaint = ""
        try:
            scenario = self.chosen()
            directory = options.report_directory(self._environment, scenario)
            self._run = Run(self._runner, options.manifest(self._environment, scenario), directory)
        except (OSError, UsageError) as error:
            self._refuse(error)
        except Exception as error:
            self._refuse(UsageError(repr(error)))
            raise
        else:
            self.latest = self._run
            self.runs += 1
            self.begun.set(True)

    def halt(self, **_: Any) -> None:
        """Locust is about to stop the users, because the run is over or for a reason of its own."""
        if self._run is not None:
            self._run.halt()

    def _end(self, **_: Any) -> None:
        for watcher in self._signals:
            watcher.cancel()
        if self._run is None:
            return
        run, self._run = self._run, None
        try:
            complete = run.end()
        except OSError as error:
            self.complain(error)
        else:
            self._environment.process_exit_code = None if complete else ABORTED

    def _refuse(self, error: OSError | UsageError) -> None:
        self.complain(error)
        self._refused = True
        self.begun.set(False)

    def forget_complaint(self) -> str:
        """Why the last run could not begin, for whoever tells it."""
        complaint, self.complaint = self.complaint, ""
        return complaint

    def complain(self, error: OSError | UsageError) -> None:
        """Say what went wrong with the run, here and to whoever asks."""
        self.complaint = (
            f"{error.filename or 'the report'}: {error.strerror}" if isinstance(error, OSError) else str(error)
        )
        print(f"locust: {self.complaint}", file=sys.stderr)
        self._environment.process_exit_code = REFUSED

    def interrupt(self) -> None:
        """Somebody wants the run to end now."""
        if self._run is not None:
            self._run.stop("it was interrupted")

    def _report(self, msg: Message, **_: Any) -> None:
        if self._run is not None and self._knows(msg.node_id):
            self._run.report(msg.node_id, Report(**msg.data))

    def _receive(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        if self._run is not None and self._knows(client_id):
            responses = list(unpacked(data.get(RESPONSE_ROWS, {}), Response))
            pulses = list(unpacked(data.get(PULSE_ROWS, {}), Pulse))
            self._run.receive(client_id, responses, pulses, data.get(IN_FLIGHT, 0))

    def _knows(self, worker: str) -> bool:
        """Whether this is a worker of this master, and not one that an earlier master left behind."""
        if not isinstance(self._runner, MasterRunner) or worker in self._runner.clients:
            return True
        return self._run is not None and self._run.has(worker)  # it has left since
