"""HTTP/1.1 over one kept connection per user, with as little as possible between the user and the socket.

Everything that is known before a request is prepared before it: the address is resolved once, the bytes of a request
are built once. No request is ever sent twice: a request without an answer may have been processed, and the reader of
the report judges it.
"""

import select
import socket
import ssl
import struct
import time
from contextlib import suppress
from typing import Any, cast

from gevent import GreenletExit
from gevent.monkey import get_original

from locustfiles.generator.transport.answer import Answer
from locustfiles.generator.transport.endpoint import TIMESTAMPS, Endpoint

RECEIVED_AT_ONCE_BYTES = 16_384
TIMESPEC = struct.Struct("@ll")  # seconds and nanoseconds since the Unix epoch, as Linux notes when bytes arrived
TIMESPEC_SPACE = socket.CMSG_SPACE(TIMESPEC.size)
GONE = getattr(select, "POLLRDHUP", select.POLLIN)  # the other end will send nothing more
UNASKED = select.POLLIN  # it has sent something although nothing was asked; over TLS that may be a matter of TLS

# Locust's replacement lets other users run meanwhile, within the time that is measured
_poll: Any = get_original("select", "poll")


class Connection:
    """One user's connection to a server: kept from request to request, opened when there is none."""

    def __init__(self, endpoint: Endpoint, *, answers_have_bodies: bool = True) -> None:
        self._endpoint = endpoint
        self._answers_have_bodies = answers_have_bodies
        self._socket: Any = None
        self._stamped = False  # whether the kernel says when bytes arrive
        self._liveness: Any = None
        self._fault: Exception | None = None  # why the exchange was given up
        self.told_to_stop: GreenletExit | None = None
        self.received_at = 0.0  # since the Unix epoch, when the last bytes arrived

    def open(self) -> bool:
        """Make sure that there is a connection. Returns whether a new one was opened.

        Raises `OSError` or `GeneratorFault` when none can be opened.
        """
        if self._socket is not None:
            if not self._liveness.poll(0):
                return False
            self.close()  # the server has closed it while it was idle
        self._socket = self._endpoint.connect()
        self._endpoint.connections += 1
        self._liveness = _poll()
        plain = not isinstance(self._socket, ssl.SSLSocket)
        self._liveness.register(self._socket, GONE | UNASKED if plain else GONE)
        self._fault = None
        self._stamped = plain and TIMESTAMPS is not None
        return True

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            connection, self._socket = self._socket, None
            self._endpoint.connections -= 1
            connection.close()

    def exchange(self, request: bytes) -> Answer:
        """Send a request on the open connection and receive its answer.

        A user that is told to stop meanwhile awaits the answer first, and finds the order in `told_to_stop` afterwards.
        Raises `OSError`, `AnswerFault` or `GeneratorFault` when no whole and sound answer comes, and closes the
        connection.
        """
        answer = Answer(has_body=self._answers_have_bodies)
        self._endpoint.expect(self)
        try:
            self._send(request)
            self._receive(answer)
        except BaseException as fault:
            self.close()
            if self._fault is not None:
                raise self._fault from fault
            raise
        finally:
            self._endpoint.settled(self)
        if not answer.keeps_alive:
            self.close()
        return answer

    def give_up(self, fault: Exception) -> None:
        """End the current exchange with this fault."""
        self._fault = fault
        with suppress(OSError):  # the other end may have closed it by now
            self._socket.shutdown(socket.SHUT_RDWR)

    def _send(self, request: bytes) -> None:
        sent = self._socket.send(request)
        if sent < len(request):
            self._socket.sendall(request[sent:])

    def _receive(self, answer: Answer) -> None:
        while not answer.is_whole:
            try:
                received = self._received()
            except GreenletExit as stop:
                self.told_to_stop = stop
            else:
                answer.feed(received)

    def _received(self) -> bytes:
        """The bytes that have arrived. Without a time from the kernel, they arrived when they are read."""
        if self._stamped:
            data, messages, _, _ = self._socket.recvmsg(RECEIVED_AT_ONCE_BYTES, TIMESPEC_SPACE)
            if messages:
                seconds, nanoseconds = TIMESPEC.unpack(messages[0][2])
                self.received_at = seconds + nanoseconds / 1e9
                return cast("bytes", data)
        else:
            data = self._socket.recv(RECEIVED_AT_ONCE_BYTES)
        self.received_at = time.time()
        return cast("bytes", data)
