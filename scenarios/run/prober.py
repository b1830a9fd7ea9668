"""Sends requests in patterns that tell algorithms apart, each over a connection of its own."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from math import ceil, gcd
from socket import socket
from threading import Thread
from urllib.parse import urlsplit
from uuid import uuid4

from scenarios.formats.probe_record import Phase
from scenarios.formats.rows import Probed
from scenarios.spec.errors import UsageError
from scenarios.spec.target import REQUEST_ID, Target
from scenarios.stacks.stack import Stack

HOME, ELSEWHERE = "127.0.0.1", "127.0.{}.1"  # nginx's ip_hash looks at the first three numbers only
SEQUENTIAL, SLOWED = 120, 24  # requests at least, in whole cycles, and two cycles at least
ADDRESSES, FROM_EACH = 24, 2
LONGEST_CYCLE = 100
SETTLED_AFTER_S = 0.002  # the client has the answer before the balancer counts the backend as free again
PAUSED_FOR_S = 1.0
PATIENCE_S = 0.02  # for an answer while a backend is paused: several times as long as one takes
ANSWERED_WITHIN_S = 30.0


@dataclass(frozen=True)
class Prober:
    """Sends the requests of a fingerprint to a stack that is up, and whose backends have these weights."""

    stack: Stack
    target: Target
    weights: dict[str, int]

    @property
    def heaviest(self) -> str:
        """The backend whose share is the largest."""
        return max(self.weights, key=lambda tag: self.weights[tag])

    def require_short_cycle(self) -> None:
        """Raise `UsageError` when a cycle of these weights is longer than a fingerprint can measure."""
        if self._cycle() > LONGEST_CYCLE:
            raise UsageError(
                f"the weights add up to {self._cycle():,} in their lowest terms, and a fingerprint is for "
                f"{LONGEST_CYCLE} at most: take smaller weights of about the same proportions"
            )

    def sequential(self) -> Iterator[Probed]:
        """Whole cycles, one request after the other from one address; as many before, so that every worker settles."""
        for phase in (Phase.SETTLING, Phase.SEQUENTIAL):
            for number in range(self._whole_cycles(SEQUENTIAL)):
                yield self._sent(phase, number, HOME)

    def why_no_addresses(self) -> str:
        """The reason why requests from several addresses are not possible here; empty when they are."""
        if not self.stack.sees_client_addresses:
            return (
                f"to the balancer of the {self.stack.name} stack all requests from this machine come from one address"
            )
        return "" if _may_send_from(ELSEWHERE.format(1)) else "this machine has no other loopback address"

    def addresses(self) -> Iterator[Probed]:
        """Several requests from each of several addresses, one address after the other."""
        for number in range(ADDRESSES * FROM_EACH):
            yield self._sent(Phase.ADDRESSES, number, ELSEWHERE.format(1 + number // FROM_EACH))

    def slowed(self) -> list[Probed]:
        """One request after the other while the heaviest backend is paused; its answers come afterwards."""
        requests = self._whole_cycles(SLOWED)
        patience_s = min(PATIENCE_S, PAUSED_FOR_S / requests - SETTLED_AFTER_S)
        answers: list[Future[Probed]] = []
        with self.stack.fault_actions().paused(self.heaviest):
            for number in range(requests):
                answers.append(self._sent_in_thread(Phase.SLOWED, number))
                with suppress(TimeoutError):
                    answers[-1].exception(patience_s)
                time.sleep(SETTLED_AFTER_S)
        return [answer.result(2 * ANSWERED_WITHIN_S) for answer in answers]

    def _cycle(self) -> int:
        return sum(self.weights.values()) // gcd(*self.weights.values())

    def _whole_cycles(self, requests: int) -> int:
        return self._cycle() * max(2, ceil(requests / self._cycle()))

    def _sent(self, phase: Phase, number: int, source: str) -> Probed:
        answer = probed(self.target, phase, number, source)
        time.sleep(SETTLED_AFTER_S)
        return answer

    def _sent_in_thread(self, phase: Phase, number: int) -> Future[Probed]:
        """A request in a thread of its own, which does not keep this process from ending."""
        answer: Future[Probed] = Future()

        def ask() -> None:
            answer.set_result(probed(self.target, phase, number, HOME))

        Thread(target=ask, daemon=True).start()
        return answer


def _may_send_from(address: str) -> bool:
    with socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def probed(target: Target, phase: Phase, number: int, source: str) -> Probed:
    """Send one request over a connection of its own. Returns its row; a request that failed has no answer in it.

    The columns that the balancer's log adds are still empty.
    """
    address, request_id = urlsplit(target.url or ""), uuid4().hex
    connection = HTTPConnection(
        address.hostname or HOME, address.port, timeout=ANSWERED_WITHIN_S, source_address=(source, 0)
    )
    sent_us, begin = time.time_ns() // 1000, time.perf_counter_ns()
    try:
        headers = target.content_headers | {REQUEST_ID: request_id}
        connection.request(target.method, target.path, target.content or None, headers)
        answer = connection.getresponse()
        answer.read()
        tag, status = target.identity.of(answer.headers), answer.status
    except (OSError, HTTPException):
        tag, status = "", 0
    finally:
        connection.close()
    latency_us = (time.perf_counter_ns() - begin) // 1000
    return Probed(phase, number, source, tag, status, request_id, sent_us, latency_us, pid=0, attempts=0)
