"""Where requests go: the address, the connections to it, and the answers that are due from it."""

import errno
import os
import resource
import socket
import ssl
import sys
import time
from functools import cache
from itertools import takewhile
from typing import Any, Protocol
from urllib.parse import urlsplit

from gevent.monkey import get_original

from locustfiles.generator.transport.faults import STOPPED, GeneratorFault

CONNECTED_WITHIN_S = 30.0
ANSWERED_WITHIN_S = 70.0  # longer than the balancer waits for a backend: its own answer is awaited, a 504 included
FILES_KEPT_FREE = 32  # for everything else that this process has to open: its ledgers must survive a shortage
# Linux notes when bytes arrive (socket(7), include/uapi/asm-generic/socket.h), however late the process reads them: the
# option, which is also the type of the message that carries the time.
TIMESTAMPS = 35 if sys.platform == "linux" else None
SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}

# Locust's replacement would let users begin while a run is still being prepared
_look_up: Any = get_original("socket", "getaddrinfo")


class Exchange(Protocol):
    """A request whose answer is due."""

    def give_up(self, fault: Exception) -> None:
        """End with this fault."""


class Endpoint:
    """Where requests go, the address of a target, and how many connections lead there.

    A certificate has to be valid; `SSL_CERT_FILE` names another certificate authority.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._host = parts.hostname
        self._path = parts.path.rstrip("/")
        self._authority = parts.netloc.rpartition("@")[2]
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._addresses: list[Any] = []
        self._unresolved = OSError("no address")
        self._due: dict[Exchange, float] = {}  # when the answer is due, by the monotonic clock; the earliest first
        self._connecting: set[Any] = set()
        self._files = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - FILES_KEPT_FREE
        self.connections = 0  # open now
        self.connects = 0  # ever opened

    def head(self, method: str, path: str, headers: tuple[str, ...]) -> bytes:
        """The head of a request without the empty line that ends it: the sender may add headers."""
        return _head(f"{method} {self._path}{path} HTTP/1.1", f"Host: {self._authority}", *headers)

    def resolve(self) -> None:
        """Look up the addresses of the host, once for all users. When that fails, `connect` raises the reason."""
        try:
            self._addresses = _look_up(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            self._unresolved = error

    def connect(self) -> Any:
        """Open a new connection. Raises `OSError` or `GeneratorFault` with the reason when it cannot be opened."""
        fault = self._unresolved.with_traceback(None)  # the traceback of the user that raised it before
        for family, kind, protocol, _, address in self._addresses:
            try:
                connection = self._connected(family, kind, protocol, address)
            except OSError as error:
                if error.errno in SHORTAGES:
                    raise GeneratorFault(os.strerror(error.errno)) from error
                if error.errno == errno.EBADF:  # `abandon` closed it
                    raise GeneratorFault(STOPPED) from error
                fault = error
            else:
                self.connects += 1
                return connection
        raise fault

    def expect(self, exchange: Exchange) -> None:
        """Note that this answer is due within `ANSWERED_WITHIN_S` from now."""
        self._due[exchange] = time.monotonic() + ANSWERED_WITHIN_S

    def settled(self, exchange: Exchange) -> None:
        """Note that this answer is no longer due."""
        del self._due[exchange]

    def give_up(self) -> None:
        """End each exchange whose answer is overdue. Call it from time to time."""
        now = time.monotonic()
        for exchange in list(takewhile(lambda each: self._due[each] < now, self._due)):
            exchange.give_up(TimeoutError(f"not answered within {ANSWERED_WITHIN_S:g} s"))

    def abandon(self) -> None:
        """End each exchange and each attempt to connect: the run awaits no more answers."""
        for exchange in list(self._due):
            exchange.give_up(GeneratorFault(STOPPED))
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
