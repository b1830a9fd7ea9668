import socket
import sys
import time
from select import select

import pytest

from locustfiles.generator.transport import endpoint
from locustfiles.generator.transport.answer import Answer
from locustfiles.generator.transport.connection import Connection
from locustfiles.generator.transport.endpoint import Endpoint
from locustfiles.generator.transport.faults import AnswerFault
from tests.builders.misbehaving_target import HEAD, WHOLE, always, serving

DEADLINE_S = 10.0


@pytest.fixture
def connection():
    with serving(always(WHOLE)) as address:
        server = Endpoint(f"http://{address}")
        server.resolve()
        connection = Connection(server)
        assert connection.open()
        yield connection
        connection.close()
        assert server.connections == 0


def request(server):
    return server.head("POST", "/models", ("Content-Length: 0",)) + b"\r\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says when bytes arrived")
def test_answer_read_late_has_the_time_of_its_arrival(connection):
    answer = Answer()
    connection._send(request(connection._endpoint))
    assert select([connection._socket], [], [], DEADLINE_S)[0]
    arrived_at = time.time()
    time.sleep(0.2)
    connection._receive(answer)
    assert answer.is_whole
    assert abs(connection.received_at - arrived_at) < 0.1


def test_name_is_looked_up_once_for_all_connections(monkeypatch):
    lookups, look_up = [], endpoint._look_up
    monkeypatch.setattr(endpoint, "_look_up", lambda *args, **named: lookups.append(args) or look_up(*args, **named))
    with serving(always(WHOLE)) as address:
        server = Endpoint(f"http://{address}")
        server.resolve()
        connections = [Connection(server) for _ in range(3)]
        assert all(connection.open() for connection in connections)
        for connection in connections:
            connection.close()
    assert len(lookups) == 1


def test_unknown_name_is_the_fault_of_every_connection():
    server = Endpoint("http://unknown.invalid:80")
    server.resolve()
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            Connection(server).open()


def test_connection_is_kept_and_counted_once(connection):
    for _ in range(3):
        assert connection.exchange(request(connection._endpoint)).status_code == 201
        assert not connection.open()
    assert (connection._endpoint.connections, connection._endpoint.connects) == (1, 1)


def test_request_carries_its_host_and_its_headers():
    head = Endpoint("http://example.org:81/base/").head("POST", "/models", ("A: b",))
    assert head == b"POST /base/models HTTP/1.1\r\nHost: example.org:81\r\nA: b\r\n"


@pytest.mark.parametrize(
    ("parts", "content", "keeps_alive"),
    [
        ([WHOLE], b"{}", True),
        ([WHOLE[:20], WHOLE[20:50], WHOLE[50:]], b"{}", True),
        ([HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", b"0\r\n\r\n"], b"{}", True),
        ([HEAD + b"\r\n{", b"}", b""], b"{}", False),
        ([HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"], b"{}", False),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", WHOLE], b"{}", True),
        ([b"HTTP/1.0 201 Created\r\nContent-Length: 0\r\n\r\n"], b"", False),
    ],
)
def test_answer_in_each_form_is_whole(parts, content, keeps_alive):
    answer = Answer()
    for part in parts:
        assert not answer.is_whole
        answer.feed(part)
    assert (answer.is_whole, answer.status_code, answer.content, answer.keeps_alive) == (
        True,
        201,
        content,
        keeps_alive,
    )


@pytest.mark.parametrize("length", [b"Content-Length: 1000\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_an_answer_to_head_ends_with_its_headers(length):
    answer = Answer(has_body=False)
    answer.feed(HEAD + length + b"\r\n")
    assert (answer.is_whole, answer.status_code, answer.content, answer.keeps_alive) == (True, 201, b"", True)


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ([b""], "closed before an answer"),
        ([WHOLE[:30], b""], "closed"),
        ([WHOLE[:-1], b""], "closed within the answer"),
        ([WHOLE + b"HTTP/1.1 200 OK\r\n"], "more than one answer"),
        ([b"SSH-2.0-OpenSSH\r\n"], "not HTTP"),
        ([HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n"], "not HTTP"),
        ([b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"], "not HTTP"),
    ],
)
def test_answer_that_is_none_is_a_fault(parts, fault):
    answer = Answer()
    *good, bad = parts
    for part in good:
        answer.feed(part)
    with pytest.raises(AnswerFault, match=fault):
        answer.feed(bad)


def test_header_that_comes_twice_has_both_values():
    answer = Answer()
    answer.feed(b"HTTP/1.1 201 Created\r\nX-Host-Tag: a\r\nx-host-tag: b\r\nContent-Length: 0\r\n\r\n")
    assert answer.header(b"x-host-tag") == "a, b"
    assert answer.headers["content-length"] == "0"
