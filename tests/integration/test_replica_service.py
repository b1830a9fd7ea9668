"""One real replica, asked over HTTP."""

import json
import os
import socket
import sys
from datetime import UTC, datetime

import psutil
import pytest

from scenarios.spec.target import MODEL
from tests.builders.http import ask
from tests.builders.processes import completed
from tests.builders.replica import counters, post, running


@pytest.fixture(scope="module")
def replica():
    with running() as (process, port):
        yield process, port
        process.terminate()
        assert "Traceback" not in process.stderr.read()
        assert process.wait(10) == 0


@pytest.fixture
def url(replica):
    return f"http://127.0.0.1:{replica[1]}"


def faults(answer):
    return {fault["property"]: fault["reason"] for fault in answer.json["errors"]}


def test_model_is_created_and_answered_in_the_envelope(url):
    answer = post(url, MODEL)
    assert answer.status == 201
    assert answer.json == {
        "host": "tag: back-01 - 127.0.0.1",
        "success": True,
        "message": "Item created successfully",
        "data": MODEL,
    }


@pytest.mark.parametrize(
    ("property_", "value"),
    [
        ("name", " "),
        ("name", ""),
        ("name", 7),
        ("theme", "\t"),
        ("pieces", 0),
        ("pieces", 1.5),
        ("pieces", "1599"),
        ("pieces", True),
        ("difficulty", "impossible"),
        ("price_us", -0.01),
        ("price_us", "1"),
        ("year", 1948),
        ("year", datetime.now(UTC).year + 2),
        ("year", None),
        ("colour", "red"),
    ],
)
def test_broken_rule_is_answered_with_422_and_named(url, property_, value):
    answer = post(url, MODEL | {property_: value})
    assert answer.status == 422
    assert answer.json["success"] is False
    assert "data" not in answer.json
    assert list(faults(answer)) == [property_]


@pytest.mark.parametrize("year", [1949, datetime.now(UTC).year + 1])
def test_first_and_the_last_year_are_years(url, year):
    assert post(url, MODEL | {"year": year}).status == 201


@pytest.mark.parametrize("price", ["1e999", "NaN", "Infinity"])
def test_price_not_finite_is_answered_with_422(url, price):
    answer = post(url, json.dumps(MODEL).replace("199.99", price).encode())
    assert answer.status == 422
    assert list(faults(answer)) == ["price_us"]


def test_every_fault_is_named(url):
    answer = post(url, {"name": " ", "pieces": 0, "extra": 1})
    assert faults(answer).keys() == {"name", "pieces", "theme", "difficulty", "price_us", "year", "extra"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"not json", b"{'name': 1}", b"\xff\xfe", b'{"name": "\\ud800"}', b"[" * 20_000]
)
def test_body_not_json_is_answered_with_400(url, body):
    answer = post(url, body)
    assert answer.status == 400
    assert answer.json["success"] is False
    assert "body" in faults(answer)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"1"])
def test_json_not_an_object_breaks_the_rules_of_the_document(url, body):
    answer = post(url, body)
    assert answer.status == 422
    assert list(faults(answer)) == ["body"]


def test_number_of_thousands_of_digits_is_a_fault_and_no_crash(url):
    assert post(url, json.dumps(MODEL).replace("1599", "9" * 10_000).encode()).status in (400, 422)


def test_body_too_large_is_answered_with_413(url):
    answer = post(url, b" " * 65_537)
    assert answer.status == 413
    assert answer.json["success"] is False


@pytest.mark.parametrize("path", ["/", "/health", "/metrics", "/openapi.json", "/nowhere", "/models"])
def test_answer_of_any_path_names_its_replica(url, path):
    assert ask(url + path).headers["x-host-tag"] == "back-01"


def test_answer_to_what_is_no_http_names_its_replica(replica):
    with socket.create_connection(("127.0.0.1", replica[1]), timeout=5) as connection:
        connection.sendall(b"this is not http\r\n\r\n")
        answer = connection.recv(4096).decode().lower()
    assert answer.startswith("http/1.1 400")
    assert "x-host-tag: back-01" in answer


def test_upgrade_to_a_websocket_is_answered_like_any_request(replica):
    with socket.create_connection(("127.0.0.1", replica[1]), timeout=5) as connection:
        connection.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        answer = connection.recv(4096).decode().lower()
    assert answer.startswith("http/1.1 200")
    assert "x-host-tag: back-01" in answer


def test_slash_too_many_is_another_path(url):
    answer = ask(f"{url}/models/", b"{}")
    assert (answer.status, answer.json["success"]) == (404, False)


def test_client_that_hangs_up_in_the_middle_of_its_body_leaves_no_trace(replica, url):
    with socket.create_connection(("127.0.0.1", replica[1]), timeout=5) as connection:
        connection.sendall(b"POST /models HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert ask(f"{url}/health").status == 200


def test_unknown_paths_and_methods_get_the_same_envelope(url):
    assert ask(f"{url}/nowhere").status == 404
    assert ask(f"{url}/models").status == 405
    assert ask(f"{url}/nowhere").json["success"] is False
    assert ask(f"{url}/models").headers["allow"] == "POST"


def test_health_and_root_name_the_replica(url):
    for path in ("/", "/health"):
        answer = ask(url + path)
        assert (answer.status, answer.json["host"]) == (200, "tag: back-01 - 127.0.0.1")


def test_counters_tell_created_and_rejected_models(url):
    before = counters(url)
    for document in (MODEL, MODEL, b"{", MODEL | {"pieces": 0}):
        post(url, document)
    after = counters(url)
    assert {outcome: after[outcome] - before[outcome] for outcome in after} == {
        "created": 2,
        "rejected": 2,
        "failed": 0,
    }


def test_private_memory_when_idle_fits_the_smallest_limit(replica, url):
    """64 MB is the smallest container. Pages of libraries that all replicas share are not its own."""
    ask(f"{url}/health")
    assert psutil.Process(replica[0].pid).memory_full_info().uss < 40 * 1024 * 1024


@pytest.mark.parametrize(
    ("tag", "sentence"),
    [(None, "HOST_TAG is not set"), ("", "HOST_TAG is ''"), ("a b", "HOST_TAG is 'a b'"), ("x" * 65, "HOST_TAG is")],
)
def test_replica_without_tag_refuses_to_start(tag, sentence):
    environment = {name: value for name, value in os.environ.items() if name != "HOST_TAG"}
    environment |= {} if tag is None else {"HOST_TAG": tag}
    ended = completed([sys.executable, "-m", "backend"], env=environment)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"backend: {sentence}")
    assert ended.stderr.count("\n") == 1
