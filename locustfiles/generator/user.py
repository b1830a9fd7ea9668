"""The user: sends the target's request again and again, as fast as answers come."""

import time
from contextlib import suppress

from locust import User, task
from locust.env import Environment

from locustfiles.generator.permits import Permit
from locustfiles.generator.shape import ScenarioShape
from locustfiles.generator.transport.answer import Answer
from locustfiles.generator.transport.connection import Connection
from locustfiles.generator.transport.faults import FAULTS, STOPPED, GeneratorFault
from scenarios.spec.target import REQUEST_ID


class Unwanted(Exception):
    """A whole answer that is not what it should be."""


class TargetUser(User):
    """Asks the target for as long as the gate lets it, over one connection. Waiting at the gate is its wait time."""

    host = "http://127.0.0.1:8080"

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        shape = environment.shape_class
        assert isinstance(shape, ScenarioShape)
        self._arrivals = shape.arrivals
        self._pace = shape.pace
        self._permits = shape.permits
        self._target = target = shape.target
        self._connection = Connection(shape.endpoint, answers_have_bodies=target.method != "HEAD")
        self._head = shape.endpoint.head(target.method, target.path, target.header_lines) + f"{REQUEST_ID}: ".encode()
        self._rest = b"\r\n\r\n" + target.content
        self._tag_key = target.identity.key
        self._permit: Permit | None = None
        self._sent_at = 0.0  # since the Unix epoch
        self._started_at = 0.0  # by the performance counter, as the next; none while no request is on its way
        self._connected_at = 0.0

    def on_start(self) -> None:
        """Connect, and wait for the first turn. Why there is no connection is for the first request to say."""
        with suppress(*FAULTS):
            self._connection.open()
        self._arrivals.enter(self)
        self.wait()

    def wait_time(self) -> float:
        """No time, once it is this user's turn."""
        self._pace.wait()
        self._permit = self._permits.take()
        return 0.0

    @task
    def ask(self) -> None:
        """Send one request."""
        assert self._permit is not None
        self._begin()
        try:
            if self._connection.open():
                self._connected_at = time.perf_counter()
            answer = self._connection.exchange(self._head + self._permit.request_id.encode() + self._rest)
        except FAULTS as fault:
            self._end(None, fault)
        except Exception as fault:  # noqa: BLE001 - a request of which nobody hears any more would be the worst
            self._end(None, GeneratorFault(repr(fault)))
        else:
            self._end(answer, None)
        if self._connection.told_to_stop is not None:
            raise self._connection.told_to_stop

    def on_stop(self) -> None:
        """Leave. A request that is on its way ends here; one that was about to be is somebody else's."""
        if self._started_at:
            self._end(None, GeneratorFault(STOPPED))
        elif self._permit is not None:
            self._permits.put_back()
        self._connection.close()
        self._arrivals.leave(self)

    def _begin(self) -> None:
        self._sent_at = time.time()
        self._started_at = self._connected_at = time.perf_counter()

    def _end(self, answer: Answer | None, fault: Exception | None) -> None:
        """Tell everybody who listens. In Locust's own tables the request carries the tag of whoever answered."""
        elapsed_s, late_s = time.perf_counter() - self._started_at, 0.0
        if answer is not None:  # somebody may have set the clock meanwhile
            late_s = min(max(0.0, time.time() - self._connection.received_at), elapsed_s)
        permit, self._permit = self._permit, None
        tag = answer.header(self._tag_key) if answer is not None else ""
        if answer is not None:
            fault = self._unwanted(answer, tag)
        self.environment.events.request.fire(
            request_type=self._target.method,
            name=f"{self._target.path} {tag or 'nobody'}",
            start_time=self._sent_at,
            response_time=(elapsed_s - late_s) * 1e3,
            response_length=len(answer.content) if answer is not None else 0,
            response=answer,
            context={
                "permit": permit,
                "tag": tag,
                "connect_s": self._connected_at - self._started_at,
                "late_s": late_s,
            },
            exception=fault,
        )
        self._started_at = 0.0
        self._permits.done()

    def _unwanted(self, answer: Answer, tag: str) -> Unwanted | None:
        """What is wrong with a whole answer, if anything is."""
        target = self._target
        if answer.status_code not in target.expected_statuses:
            return Unwanted(f"status {answer.status_code} instead of {target.statuses_text}")
        return None if tag else Unwanted(f"no {target.identity.header.lower()}")
