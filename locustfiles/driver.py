"""The part of a run that lives in each process with users: their server, the gate they pass, the rows they produce."""

from typing import Any

from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import STATE_INIT, WorkerRunner

from locustfiles import options
from locustfiles.entrance import Entrance
from locustfiles.gate import Gate, Report
from locustfiles.http import Server
from locustfiles.ledgers import response_of
from locustfiles.pulse import Heart
from locustfiles.rows import Rows
from locustfiles.spacing import Spacing
from scenarios.ledgers import Pulse, Response

REPORT = "budget report"
OPEN = "budget open"
GRANT = "budget grant"
CLOSE = "budget close"
ABANDON = "abandon"
RESPONSE_ROWS, PULSE_ROWS, IN_FLIGHT = "responses", "pulses", "in flight"  # in Locust's reports to its master
SHIP_EVERY_BEATS = 2
LAST_ANSWERS_WITHIN_S = 5.0


class Driver:
    """Hands every row and every report to the master, which in a single process is the process itself.

    Rows travel in the reports in which Locust sends its statistics, so what the master has of either is always the
    same. They leave before a report of the budget that counts them: whoever has seen the last one has every row.
    """

    def __init__(self, environment: Environment) -> None:
        assert environment.runner is not None
        self._environment = environment
        self._runner = environment.runner
        self._responses: Rows[Response] = Rows()
        self._pulses: Rows[Pulse] = Rows()
        self._heart: Heart | None = None
        self._beats = 0
        self.entrance = Entrance()
        self.pace = Spacing()
        self.gate = Gate(self._report)
        self.server: Server  # from the beginning of a run on
        self._runner.register_message(OPEN, self._opened)
        self._runner.register_message(GRANT, self._granted)
        self._runner.register_message(CLOSE, self._closed)
        self._runner.register_message(ABANDON, self._abandoned)
        events = environment.events
        events.request.add_listener(self._record)
        events.report_to_master.add_listener(self._add_rows)
        events.test_start.add_listener(self._begin)
        events.test_stop.add_listener(self._end)
        if isinstance(self._runner, WorkerRunner) and self._runner.worker_state != STATE_INIT:
            self._begin()  # a worker that joins late may be told to start before it is told that it exists

    def _begin(self, **_: Any) -> None:
        self.server = options.server_of(self._environment)
        self.server.resolve()
        self.entrance.reset()
        self.gate.reset()
        self._heart = Heart(self.entrance, self.gate, self.server, self._beat)

    def let_answers_come(self, **_: Any) -> None:
        """Locust is about to stop the users: those with a request in flight get some time to see its end."""
        if self._heart is None:
            return
        self.gate.close()
        self.gate.idle.wait(LAST_ANSWERS_WITHIN_S)
        self._environment.stop_timeout = 0.0  # they had it
        self.server.abandon()

    def _end(self, **_: Any) -> None:
        if self._heart is not None:
            heart, self._heart = self._heart, None
            heart.stop()
            self._ship()

    def _record(self, **event: Any) -> None:
        self._responses.add(response_of(**event))

    def _beat(self, pulse: Pulse) -> None:
        self.server.give_up()
        self._pulses.add(pulse)
        self._beats += 1
        if self._beats % SHIP_EVERY_BEATS == 1:  # the first one too: the master waits for it
            self._ship()

    def _opened(self, msg: Message, **_: Any) -> None:
        self.gate.open(msg.data["stage"])
        self.entrance.open(msg.data["rate"])
        self.pace.keep(msg.data["pace"])

    def _granted(self, msg: Message, **_: Any) -> None:
        self.gate.grant(**msg.data)

    def _closed(self, **_: Any) -> None:
        self.gate.close()

    def _abandoned(self, **_: Any) -> None:
        """No user waits any longer for an answer or a connection: each request in flight ends here, as a row."""
        if self._heart is not None:
            self.server.abandon()

    def _report(self, report: Report) -> None:
        self._ship()
        self._runner.send_message(REPORT, report._asdict())

    def _ship(self) -> None:
        """Send what Locust would send every few seconds, now."""
        events, report = self._environment.events, dict[str, Any]()
        if isinstance(self._runner, WorkerRunner):
            events.report_to_master.fire(client_id=self._runner.client_id, data=report)
            self._runner.send_message("stats", report)
        else:
            events.report_to_master.fire(client_id="local", data=report)
            events.worker_report.fire(client_id="local", data=report)

    def _add_rows(self, data: dict[str, Any], **_: Any) -> None:
        data[RESPONSE_ROWS] = self._responses.pack()
        data[PULSE_ROWS] = self._pulses.pack()
        data[IN_FLIGHT] = self.gate.in_flight
