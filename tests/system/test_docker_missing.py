"""The compose stack where there is no engine for it, or none that will do."""

import json
import os
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.builders.commands import scenarios
from tests.builders.processes import completed

INSTEAD = "or leave STACK=compose out to use the local stack\n"


@contextmanager
def engine_of(version, api):
    """An engine that says it is of this version. A real one that is too old cannot run on every machine."""

    class OldEngine(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"Version": version, "ApiVersion": api, "MinAPIVersion": "1.12"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), OldEngine) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"tcp://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


def command(path, name, script):
    """A command of this name that does what the script says."""
    (path / name).write_text(f"#!/bin/sh\n{script}\n")
    (path / name).chmod(0o755)
    return os.environ | {"PATH": str(path)}


@pytest.mark.parametrize("arguments", [("up",), ("run", "baseline"), ("status",), ("down",), ("logs",)])
def test_no_engine_is_said_in_one_sentence(arguments, tmp_path):
    environment = command(tmp_path, "docker", "echo 5.0") | {"DOCKER_HOST": f"unix://{tmp_path}/no.sock"}
    ended = scenarios(*arguments, stack="compose", env=environment)
    assert ended.returncode == 2
    where = f"unix://{tmp_path}/no.sock"
    assert ended.stderr == (
        f"scenarios: no Docker engine answers at {where} (No such file or directory): start it, {INSTEAD}"
    )


def test_engine_too_old_is_told_the_version_needed(tmp_path):
    with engine_of("19.03.15", "1.40") as address:
        environment = command(tmp_path, "docker", "echo 5.0") | {"DOCKER_HOST": address}
        ended = scenarios("up", stack="compose", env=environment)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"scenarios: the Docker engine at {address} is 19.03.15 with API 1.40: "
        f"20.10 with API 1.41 or newer is needed, {INSTEAD}"
    )


def test_no_docker_command_is_said_in_one_sentence(tmp_path):
    ended = scenarios("up", stack="compose", env={"PATH": str(tmp_path)})
    assert ended.returncode == 2
    assert ended.stderr == f"scenarios: the docker command is not installed: install Docker, {INSTEAD}"


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo 2.20.3", f"scenarios: docker compose is 2.20.3: 2.21 or newer is needed, {INSTEAD}"),
        (
            "echo \"docker: 'compose' is not a docker command.\" >&2; exit 1",
            f"scenarios: docker compose is missing (docker: 'compose' is not a docker command.): install it, {INSTEAD}",
        ),
    ],
)
def test_compose_missing_or_too_old_is_said_in_one_sentence(tmp_path, script, sentence):
    with engine_of("28.0.0", "1.44") as address:
        environment = command(tmp_path, "docker", script) | {"DOCKER_HOST": address}
        ended = scenarios("up", stack="compose", env=environment)
    assert (ended.returncode, ended.stderr) == (2, sentence)


def test_stack_of_another_name_is_refused():
    ended = scenarios("up", stack="kubernetes")
    assert (ended.returncode, ended.stderr) == (2, "scenarios: STACK is 'kubernetes', and should be local or compose\n")


@pytest.mark.parametrize(("required", "outcome", "code"), [("", "skipped", 0), ("1", "errors", 1)])
def test_tests_that_need_an_engine_say_so_where_there_is_none(tmp_path, required, outcome, code):
    environment = os.environ | {"DOCKER_HOST": f"unix://{tmp_path}/no.sock", "DOCKER_REQUIRED": required}
    pytest_words = [sys.executable, "-m", "pytest", "tests/compose/test_promises.py", "-p", "no:cacheprovider"]
    ended = completed(pytest_words, env=environment)
    assert ended.returncode == code, ended.stdout
    assert "no Docker engine answers at" in ended.stdout
    assert outcome in ended.stdout.splitlines()[-1].replace("error", "errors")
