"""HTTP/1.1 over one kept connection per user, with as little between the user and the socket as it takes.

Everything that can be known before a request is: the address is resolved once, the bytes of a request are built once.
Nothing is ever sent twice: what may have been processed is for whoever reads the report to judge.
"""

import errno
import os
import resource
import select
import socket
import ssl
import struct
import sys
import time
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from itertools import takewhile
from typing import Any, cast
from urllib.parse import urlsplit

from gevent import GreenletExit
from gevent.monkey import get_original
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from scenarios.errors import UsageError

CONNECTED_WITHIN_S = 30.0
ANSWERED_WITHIN_S = 70.0  # longer than the balancer waits for a backend: its answer is to be seen, a 504 included
FILES_KEPT_FREE = 32  # for everything else that this process may have to open: it is to survive to tell
RECEIVED_AT_ONCE_BYTES = 16_384
# Linux notes when bytes arrive (socket(7), include/uapi/asm-generic/socket.h), however late they are looked at: the
# option, which is also the type of the message that carries the time, in seconds and nanoseconds since the Unix epoch.
TIMESTAMPS = 35 if sys.platform == "linux" else None
TIMESPEC = struct.Struct("@ll")
TIMESPEC_SPACE = socket.CMSG_SPACE(TIMESPEC.size)
BODY_LENGTH = {b"content-length", b"transfer-encoding"}
GONE = getattr(select, "POLLRDHUP", select.POLLIN)  # the other end will send nothing more
UNASKED = select.POLLIN  # it has sent something although nothing was asked; over TLS that may be a matter of TLS

# Locust replaces it by one that lets other users run meanwhile, within the time that is measured
_poll: Any = get_original("select", "poll")
# The same: it would let users begin while a run is still being prepared
_look_up: Any = get_original("socket", "getaddrinfo")


class AnswerFault(Exception):
    """A request without a whole and sound answer."""


class GeneratorFault(Exception):
    """A request that ended without an answer for a reason on this side, which says nothing about the other."""


FAULTS = (OSError, AnswerFault, GeneratorFault)
STOPPED = "stopped before the answer came"
SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}


class Answer:
    """A response while it arrives, and afterwards. The `on_` methods are for the parser."""

    def __init__(self) -> None:
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._ends_with_connection = False
        self.status_code = 0
        self.is_whole = False
        self.keeps_alive = False  # whether the connection may be used again

    def feed(self, data: bytes) -> None:
        """Take what was received; nothing means that the connection was closed.

        Raises `AnswerFault` when that is no answer, more than one, or the connection was closed within it.
        """
        if data:
            assert self._parser is not None
            try:
                self._parser.feed_data(data)
            except (HttpParserError, HttpParserUpgrade) as error:
                raise AnswerFault(f"not HTTP: {error.__context__ or error}") from error
        elif self._ends_with_connection:
            self.is_whole = True
        else:
            raise AnswerFault("closed within the answer" if self._headers else "closed before an answer")
        if self.is_whole:
            self._parser = None  # which knows this answer: neither would go before the garbage collector comes

    @property
    def headers(self) -> dict[str, str]:
        """By name in small letters."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self._headers.items()}

    def header(self, name: bytes) -> str:
        """The value of a header, whose name is given in small letters; empty when there is none."""
        return self._headers.get(name, b"").decode("latin-1")

    @property
    def content(self) -> bytes:
        """The body."""
        return b"".join(self._body)

    def on_message_begin(self) -> None:
        """Begin; an interim answer (1xx) may have been before."""
        if self.is_whole:
            raise AnswerFault("more than one answer to a request")
        self._headers.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; one that comes again is one with several values."""
        name = name.lower()
        self._headers[name] = value if name not in self._headers else b"%b, %b" % (self._headers[name], value)

    def on_headers_complete(self) -> None:
        """Note how the end will be known."""
        assert self._parser is not None
        self.status_code = self._parser.get_status_code()
        self._ends_with_connection = not self._headers.keys() & BODY_LENGTH

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._body.append(part)

    def on_message_complete(self) -> None:
        """End, unless that was an interim answer."""
        assert self._parser is not None
        self.is_whole = self.status_code >= HTTPStatus.OK
        self.keeps_alive = self._parser.should_keep_alive()


class Server:
    """Where requests go, `http://host:port` or `https://host:port`, and how many connections lead there.

    Raises `UsageError` when that is no such address.
    A certificate has to be good; `SSL_CERT_FILE` names an authority of one's own.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        try:
            self._port = parts.port or (443 if parts.scheme == "https" else 80)
            self._host = (parts.hostname or "").encode("idna").decode()
        except ValueError:
            self._host = ""
        if parts.scheme not in ("http", "https") or not self._host or not parts.netloc.isascii():
            raise UsageError(f"{url!r} is no address of the form http://host:port")
        self._path = parts.path.rstrip("/")
        self._authority = parts.netloc.rpartition("@")[2]
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._addresses: list[Any] = []
        self._unresolved = OSError("no address")
        self._due: dict[Connection, float] = {}  # when an answer is, the earliest first
        self._connecting: set[Any] = set()
        self._files = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - FILES_KEPT_FREE
        self.connections = 0  # open now
        self.connects = 0  # ever opened

    def head(self, method: str, path: str, headers: tuple[str, ...]) -> bytes:
        """The head of a request but for the empty line that ends it: the last headers are the sender's."""
        return _head(f"{method} {self._path}{path} HTTP/1.1", f"Host: {self._authority}", *headers)

    def resolve(self) -> None:
        """Find out the addresses of the host, once and for all users. Why there is none is for `connect` to say."""
        try:
            self._addresses = _look_up(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            self._unresolved = error

    def connect(self) -> Any:
        """A new connection. Raises `OSError` or `GeneratorFault` saying why there is none."""
        fault = self._unresolved.with_traceback(None)  # of whoever was told before
        for family, kind, protocol, _, address in self._addresses:
            try:
                connection = self._connected(family, kind, protocol, address)
            except OSError as error:
                if error.errno in SHORTAGES:
                    raise GeneratorFault(os.strerror(error.errno)) from error
                if error.errno == errno.EBADF:  # it was closed by `abandon`
                    raise GeneratorFault(STOPPED) from error
                fault = error
            else:
                self.connects += 1
                return connection
        raise fault

    def expect(self, connection: "Connection") -> None:
        """An answer is due on this connection, within `ANSWERED_WITHIN_S` from now."""
        self._due[connection] = time.monotonic() + ANSWERED_WITHIN_S

    def settled(self, connection: "Connection") -> None:
        """It is not due any more."""
        del self._due[connection]

    def give_up(self) -> None:
        """End every exchange whose answer is overdue. To be called now and then."""
        now = time.monotonic()
        for connection in list(takewhile(lambda each: self._due[each] < now, self._due)):
            connection.give_up(TimeoutError(f"not answered within {ANSWERED_WITHIN_S:g} s"))

    def abandon(self) -> None:
        """End every exchange: nobody waits for the answers any longer."""
        for connection in list(self._due):
            connection.give_up(GeneratorFault(STOPPED))
        for unconnected in list(self._connecting):
            unconnected.close()

    def _connected(self, family: int, kind: int, protocol: int, address: Any) -> Any:
        connection: Any = socket.socket(family, kind, protocol)
        unconnected = connection
        if connection.fileno() >= self._files:
            connection.close()
            raise OSError(errno.EMFILE, "")
        try:
            connection.settimeout(CONNECTED_WITHIN_S)
            self._connecting.add(connection)
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_hostname=self._host)
            elif TIMESTAMPS is not None:
                connection.setsockopt(socket.SOL_SOCKET, TIMESTAMPS, 1)
            connection.settimeout(None)  # a timer for each answer would cost more than all of them in `give_up`
        except TimeoutError:
            connection.close()
            raise TimeoutError(f"not connected within {CONNECTED_WITHIN_S:g} s") from None
        except BaseException:
            connection.close()
            raise
        finally:
            self._connecting.discard(unconnected)
        return connection


@cache
def _head(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


class Connection:
    """One user's connection to a server: kept from request to request, opened when there is none."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._socket: Any = None
        self._stamped = False  # whether the kernel says when bytes arrive
        self._liveness: Any = None
        self._fault: Exception | None = None  # why an exchange was given up
        self.told_to_stop: GreenletExit | None = None
        self.received_at = 0.0  # since the Unix epoch, when the last bytes arrived

    def open(self) -> bool:
        """Make sure that there is a connection. Returns whether it took a new one.

        Raises `OSError` or `GeneratorFault` when there is none to be had.
        """
        if self._socket is not None:
            if not self._liveness.poll(0):
                return False
            self.close()  # by the server, while it was idle
        self._socket = self._server.connect()
        self._server.connections += 1
        self._liveness = _poll()
        plain = not isinstance(self._socket, ssl.SSLSocket)
        self._liveness.register(self._socket, GONE | UNASKED if plain else GONE)
        self._fault = None
        self._stamped = plain and TIMESTAMPS is not None
        return True

    def close(self) -> None:
        """Give the connection up, if there is one."""
        if self._socket is not None:
            connection, self._socket = self._socket, None
            self._server.connections -= 1
            connection.close()

    def exchange(self, request: bytes) -> Answer:
        """Send a request on the open connection and receive its answer.

        A user that is told to stop meanwhile sees the end first: `told_to_stop` is for afterwards.
        Raises `OSError` or `AnswerFault` when there is no whole and sound one; the connection is closed then.
        """
        answer = Answer()
        self._server.expect(self)
        try:
            self._send(request)
            self._receive(answer)
        except BaseException as fault:
            self.close()
            if self._fault is not None:
                raise self._fault from fault
            raise
        finally:
            self._server.settled(self)
        if not answer.keeps_alive:
            self.close()
        return answer

    def give_up(self, fault: Exception) -> None:
        """Let the exchange that is going on end with this fault."""
        self._fault = fault
        with suppress(OSError):  # the other end may be gone by now
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
        """What has arrived. Where the kernel does not say when, it was when it is looked at."""
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
