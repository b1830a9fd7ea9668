"""A TCP server that misbehaves on purpose, in a way that its caller chooses."""

import socket
import struct
import threading
import time
from contextlib import contextmanager, suppress

HEAD = b"HTTP/1.1 201 Created\r\nX-Host-Tag: back-01\r\n"
WHOLE = HEAD + b"Content-Length: 2\r\n\r\n{}"


def always(answer):
    """Give this answer to every request, over one connection."""

    def behave(connection):
        while receive(connection):
            connection.sendall(answer)

    return behave


def once(answer):
    """Give this answer to a request, and close the connection."""

    def behave(connection):
        if receive(connection):
            connection.sendall(answer)

    return behave


def resetting(connection):
    receive(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def silent(connection):
    while receive(connection):
        pass


def dawdling(connection):
    """Answer a request after a second and a half."""
    while receive(connection):
        time.sleep(1.5)
        connection.sendall(WHOLE)


def closing_when_idle(connection):
    """Answer, and hang up after a while without a word, as servers do with connections that are idle."""
    if receive(connection):
        connection.sendall(WHOLE)
        time.sleep(0.2)


def chunked(connection):
    while receive(connection):
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")
        time.sleep(0.01)
        connection.sendall(b"1\r\n}\r\n0\r\n\r\n")


def receive(connection):
    """A request, whose body has the length that its head says, if it says one; nothing at the end."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (data := connection.recv(65_536)):
            return b""
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65_536)
    return received


@contextmanager
def serving(behave, wrap=lambda connection: connection):
    """Serve on a port of this machine until the body is done. Gives its address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    open_connections = []

    def accept():
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                open_connections.append(connection)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    def serve(connection):
        with suppress(OSError), wrap(connection) as wrapped:
            behave(wrapped)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in open_connections:
            connection.close()
