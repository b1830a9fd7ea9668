"""The part of a run that lives in each process with users: the gate they pass, and the rows they produce."""

from typing import Any

import gevent
from locust.env import Environment
from locust.rpc.protocol import Message

from locustfiles.gate import Gate, Report
from locustfiles.ledgers import response_of
from scenarios.ledgers import Response

REPORT = "budget report"
OPEN = "budget open"
GRANT = "budget grant"
CLOSE = "budget close"
NEWS = "news"
SHIP_EVERY_S = 0.25


class Driver:
    """Hands every row and every report to the master, which in a single process is the process itself.

    Rows always leave before a report that counts them, so whoever has seen the last report has every row.
    """

    def __init__(self, environment: Environment) -> None:
        assert environment.runner is not None
        self._runner = environment.runner
        self._responses: list[Response] = []
        self._shipping: gevent.Greenlet[..., None] | None = None
        self.gate = Gate(self._report)
        self._runner.register_message(OPEN, self._opened)
        self._runner.register_message(GRANT, self._granted)
        self._runner.register_message(CLOSE, self._closed)
        environment.events.request.add_listener(self._record)
        environment.events.test_start.add_listener(self._begin)
        environment.events.spawning_complete.add_listener(self._ship)
        environment.events.test_stop.add_listener(self._end)

    def _begin(self, **_: Any) -> None:
        self._responses = []
        self.gate.reset()
        self._shipping = gevent.spawn(self._ship_regularly)

    def _end(self, **_: Any) -> None:
        if self._shipping is not None:
            self._shipping.kill()
            self._shipping = None
        self._ship()

    def _record(self, **event: Any) -> None:
        self._responses.append(response_of(**event))

    def _opened(self, **_: Any) -> None:
        self.gate.open()

    def _granted(self, msg: Message, **_: Any) -> None:
        self.gate.grant(**msg.data)

    def _closed(self, **_: Any) -> None:
        self.gate.close()

    def _report(self, report: Report) -> None:
        self._ship()
        self._runner.send_message(REPORT, report._asdict())

    def _ship_regularly(self) -> None:
        while True:
            gevent.sleep(SHIP_EVERY_S)
            self._ship()

    def _ship(self, **_: Any) -> None:
        responses, self._responses = self._responses, []
        self._runner.send_message(NEWS, {"users": self._runner.user_count, "rows": responses})
