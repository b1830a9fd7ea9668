"""The part of a run in each process with users: their endpoint, their permits, and the rows that they produce."""

from collections.abc import Callable
from typing import Any

from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import STATE_INIT, WorkerRunner

from locustfiles.generator import options
from locustfiles.generator.arrivals import Arrivals
from locustfiles.generator.heartbeat import Heartbeat
from locustfiles.generator.pacing import Pacing
from locustfiles.generator.permits import Permits
from locustfiles.generator.protocol import (
    ABANDON,
    CLOSE,
    GRANT,
    IN_FLIGHT,
    LAST_ANSWERS_WITHIN_S,
    OPEN,
    REPORT,
    RESPONSE_ROWS,
    SAMPLE_ROWS,
    BudgetReport,
)
from locustfiles.generator.records.ledger_writers import response_of
from locustfiles.generator.records.row_packing import RowBuffer
from locustfiles.generator.transport.endpoint import Endpoint
from scenarios.formats.rows import GeneratorSample, Response
from scenarios.spec.scenario import Scenario
from scenarios.spec.target import Target

SEND_EVERY_SAMPLES = 2


class Worker:
    """Sends every row and every report to the master; a single process is its own master.

    Rows travel in the reports in which Locust sends its statistics, so the master always has the same requests of both.
    Rows leave before the report that counts them, so a master with the last report has every row.
    """

    def __init__(self, environment: Environment, scenario: Callable[[], Scenario]) -> None:
        assert environment.runner is not None
        self._environment = environment
        self._chosen = scenario  # what a run that begins now is
        self._runner = environment.runner
        self._responses: RowBuffer[Response] = RowBuffer()
        self._samples: RowBuffer[GeneratorSample] = RowBuffer()
        self._heartbeat: Heartbeat | None = None  # while a run goes on
        self._sampled = 0
        self.arrivals = Arrivals()
        self.pace = Pacing()
        self.permits = Permits(self._report)
        self.target: Target  # since the first run began, as the endpoint
        self.endpoint: Endpoint
        self._runner.register_message(OPEN, self._opened)
        self._runner.register_message(GRANT, self._granted)
        self._runner.register_message(CLOSE, self._closed)
        self._runner.register_message(ABANDON, self._abandoned)
        events = environment.events
        events.request.add_listener(self._record)
        events.report_to_master.add_listener(self._add_rows)
        events.test_start.add_listener(self._begin)
        events.test_stop.add_listener(self._end)
        events.quitting.add_listener(self._leave)  # runs before Locust's own: the last listener comes first
        if isinstance(self._runner, WorkerRunner) and self._runner.worker_state != STATE_INIT:
            self._begin()  # Locust may tell a late worker to start users before it fires `init`

    def _begin(self, **_: Any) -> None:
        self.target = options.target_of(self._environment, self._chosen())
        self.endpoint = Endpoint(self.target.url or "")
        self.endpoint.resolve()
        self.arrivals.reset()
        self.permits.reset()
        self._heartbeat = Heartbeat(self.arrivals, self.permits, self.endpoint, self._take_sample)

    def await_answers(self, **_: Any) -> None:
        """Give users with a request in flight some time to see its end: Locust is about to stop them."""
        if self._heartbeat is None:
            return
        self.permits.close()
        self.permits.idle.wait(LAST_ANSWERS_WITHIN_S)
        self._environment.stop_timeout = 0.0  # they have had their time
        self.endpoint.abandon()

    def _end(self, **_: Any) -> None:
        if self._heartbeat is not None:
            heartbeat, self._heartbeat = self._heartbeat, None
            heartbeat.stop()
            self._send_rows()

    def _leave(self, **_: Any) -> None:
        """Send what is still due: this process ends, and its master takes no row once it knows that."""
        self.await_answers()
        self._end()

    def _record(self, **event: Any) -> None:
        self._responses.add(response_of(**event))

    def _take_sample(self, sample: GeneratorSample) -> None:
        self.endpoint.give_up()
        self._samples.add(sample)
        self._sampled += 1
        if self._sampled % SEND_EVERY_SAMPLES == 1:  # the first sample too: the master waits for it
            self._send_rows()

    def _opened(self, msg: Message, **_: Any) -> None:
        self.permits.open(msg.data["stage"])
        self.arrivals.open(msg.data["rate"])
        self.pace.keep(msg.data["pace"])

    def _granted(self, msg: Message, **_: Any) -> None:
        self.permits.grant(**msg.data)

    def _closed(self, **_: Any) -> None:
        self.permits.close()

    def _abandoned(self, **_: Any) -> None:
        """Let users wait no longer for an answer or a connection: each request in flight ends now, as a row."""
        if self._heartbeat is not None:
            self.endpoint.abandon()

    def _report(self, report: BudgetReport) -> None:
        self._send_rows()
        self._runner.send_message(REPORT, report._asdict())

    def _send_rows(self) -> None:
        """Send now the report that Locust sends every few seconds."""
        events, report = self._environment.events, dict[str, Any]()
        if isinstance(self._runner, WorkerRunner):
            events.report_to_master.fire(client_id=self._runner.client_id, data=report)
            self._runner.send_message("stats", report)
        else:
            events.report_to_master.fire(client_id="local", data=report)
            events.worker_report.fire(client_id="local", data=report)

    def _add_rows(self, data: dict[str, Any], **_: Any) -> None:
        data[RESPONSE_ROWS] = self._responses.pack()
        data[SAMPLE_ROWS] = self._samples.pack()
        data[IN_FLIGHT] = self.permits.in_flight
