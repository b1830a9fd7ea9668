"""A replica that is told to stop answers the requests sent to it, and refuses new connections."""

import json
import signal
import socket
import sys
import time
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest

from backend.draining import LIMIT_S
from backend.listen_backlog import close_and_drain, drop_new_handshakes
from scenarios.spec.nginx.conf import NginxConf
from scenarios.spec.target import MODEL
from scenarios.stacks.local.stack import CONF
from scenarios.stacks.local.supervisor import GRACE_S
from tests.builders.processes import wait_for
from tests.builders.replica import is_listening, running

BODY = json.dumps(MODEL).encode()
HEAD = b"POST /models HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(BODY)
AT_ONCE_S = 2.0  # less than a replica waits for an open connection
QUEUED = 700  # several times what a turn of the event loop accepts


@pytest.fixture
def replica():
    with running() as found:
        yield found


@pytest.fixture
def connection(replica):
    """A connection that was used once, and is kept."""
    connection = HTTPConnection("127.0.0.1", replica[1], timeout=10)
    assert created(connection).getheader("Connection") is None
    yield connection
    connection.close()


def created(connection):
    connection.request("POST", "/models", BODY)
    answer = connection.getresponse()
    assert answer.status == 201
    answer.read()
    return answer


def tell_to_stop(process, port, number=signal.SIGTERM):
    process.send_signal(number)
    wait_for(lambda: not is_listening(port), within_s=3)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_kept_connection_is_answered_once_more_while_new_ones_are_refused(replica, connection, number):
    process, port = replica
    tell_to_stop(process, port, number)
    assert created(connection).getheader("Connection") == "close"
    assert process.wait(AT_ONCE_S) == 0


def test_request_that_has_begun_to_arrive_is_answered_and_its_connection_closed(replica):
    process, port = replica
    with socket.create_connection(("127.0.0.1", port), timeout=10) as half:
        half.sendall(HEAD + BODY[:10])
        tell_to_stop(process, port)
        half.sendall(BODY[10:])
        answer = half.makefile("rb").read().lower()  # to the end, which comes because the connection is closed
        assert answer.startswith(b"http/1.1 201")
        assert b"\r\nconnection: close\r\n" in answer
    assert process.wait(AT_ONCE_S) == 0


@pytest.mark.alone  # so many are answered within the time for it only by a replica that gets its CPU
def test_connections_in_the_backlog_are_answered(replica):
    process, port = replica
    with ExitStack() as stack:
        process.send_signal(signal.SIGSTOP)
        waiting = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 10)) for _ in range(QUEUED)]
        for client in waiting:
            client.sendall(HEAD + BODY)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        assert {client.recv(12) for client in waiting} == {b"HTTP/1.1 201"}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a listener ends with its last duplicate")
def test_a_closed_listener_with_a_duplicate_returns_its_backlog_and_refuses_later_connections():
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        stack.enter_context(listener.dup())
        address = listener.getsockname()
        clients = [stack.enter_context(socket.create_connection(address, timeout=5)) for _ in range(3)]
        accepted = [stack.enter_context(each) for each in close_and_drain(listener)]
        assert {each.getpeername() for each in accepted} == {each.getsockname() for each in clients}
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=5)


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is one of Linux")
def test_a_listener_that_drops_new_handshakes_completes_those_under_way():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 5)  # for the kernel it lasts until data come
        address = listener.getsockname()
        with socket.create_connection(address, timeout=5) as early:
            drop_new_handshakes(listener)
            with pytest.raises(TimeoutError):
                socket.create_connection(address, timeout=0.2)
            early.sendall(b"still here")
            with listener.accept()[0] as accepted:
                assert accepted.recv(10) == b"still here"


def test_replica_without_connections_stops_at_once(replica):
    process, _ = replica
    process.terminate()
    assert process.wait(AT_ONCE_S) == 0


@pytest.mark.usefixtures("connection")
def test_idle_connection_is_waited_for_up_to_a_limit(replica):
    process, _ = replica
    began = time.monotonic()
    process.terminate()
    assert process.wait(GRACE_S) == 0
    assert time.monotonic() - began > LIMIT_S


@pytest.mark.usefixtures("connection")
def test_second_signal_ends_replica_on_the_spot(replica):
    process, port = replica
    tell_to_stop(process, port)
    process.terminate()
    assert process.wait(AT_ONCE_S) == 128 + signal.SIGTERM


def test_nginx_closes_idle_connections_before_a_replica_does_and_that_before_it_is_killed():
    upstream = next(NginxConf.read(CONF).find("upstream"))
    kept = next(line for line in upstream["block"] if line["directive"] == "keepalive_timeout")
    assert float(kept["args"][0].removesuffix("s")) + 1 < LIMIT_S < GRACE_S - 1
