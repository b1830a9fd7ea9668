"""The user: posts one model after the other, as fast as answers come."""

import time
from contextlib import suppress

from locust import User, task
from locust.env import Environment

from locustfiles.generator.permits import Permit
from locustfiles.generator.records.ledger_writers import HOST_TAG
from locustfiles.generator.shape import ScenarioShape
from locustfiles.generator.transport.answer import Answer
from locustfiles.generator.transport.connection import Connection
from locustfiles.generator.transport.faults import FAULTS, STOPPED, GeneratorFault
from scenarios.spec.target import BODY, CREATED, PATH


class Unwanted(Exception):
    """A whole answer that is not what it should be."""


class ModelsUser(User):
    """Creates models for as long as the gate lets it, over one connection. Waiting at the gate is its wait time."""

    host = "http://127.0.0.1:8080"

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        shape = environment.shape_class
        assert isinstance(shape, ScenarioShape)
        self._arrivals = shape.arrivals
        self._pace = shape.pace
        self._permits = shape.permits
        self._connection = Connection(shape.endpoint)
        self._head = shape.endpoint.head(
            "POST", PATH, ("Content-Type: application/json", f"Content-Length: {len(BODY)}")
        )
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
    def create_model(self) -> None:
        """POST one model."""
        assert self._permit is not None
        self._begin()
        try:
            if self._connection.open():
                self._connected_at = time.perf_counter()
            request_id = self._permit.request_id.encode()
            answer = self._connection.exchange(b"%bX-Request-Id: %b\r\n\r\n%b" % (self._head, request_id, BODY))
        except FAULTS as fault:
            self._end(None, fault)
        except Exception as fault:  # noqa: BLE001 - a request of which nobody hears any more would be the worst
            self._end(None, GeneratorFault(repr(fault)))
        else:
            self._end(answer, _fault(answer))
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
        tag = answer.header(HOST_TAG) if answer is not None else None
        self.environment.events.request.fire(
            request_type="POST",
            name=f"{PATH} {tag or 'nobody'}",
            start_time=self._sent_at,
            response_time=(elapsed_s - late_s) * 1e3,
            response_length=len(answer.content) if answer is not None else 0,
            response=answer,
            context={"permit": permit, "connect_s": self._connected_at - self._started_at, "late_s": late_s},
            exception=fault,
        )
        self._started_at = 0.0
        self._permits.done()


def _fault(answer: Answer) -> Unwanted | None:
    """What is wrong with a whole answer, if anything is."""
    if answer.status_code != CREATED:
        return Unwanted(f"status {answer.status_code} instead of {CREATED}")
    return None if answer.header(HOST_TAG) else Unwanted(f"no {HOST_TAG.decode()}")
