"""What goes wrong before a run can begin: one sentence, exit code 2, and the stack as it was before."""

import os
import signal
import socket

import pytest

from tests.builders.commands import scenarios, scenarios_begun
from tests.builders.processes import wait_for
from tests.compose.conftest import left_of

SMALL = ("--requests", 600, "--users", 60)


@pytest.fixture
def stack(quickly_asked):
    """The stack whose services are soon known to be well again."""
    return quickly_asked


def refused(*arguments, offset, **options):
    """The one sentence with which a command is refused."""
    ended = scenarios(*arguments, offset=offset, stack="compose", within_s=280, **options)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()[-1]


def test_port_taken_is_named_with_its_holder(engine, offset):
    with socket.create_server(("127.0.0.1", 8002 + offset)):
        sentence = refused("up", offset=offset)
    assert f"port {8002 + offset}, which back-02 needs, is taken by process {os.getpid()} (" in sentence
    assert left_of(engine, f"load-balancer-proofs-{offset}") == []


def test_image_that_cannot_be_pulled_is_told_in_the_engines_words(engine, offset, overridden, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM 127.0.0.1:9/nothing\n")
    sentence = refused("up", offset=offset, env=overridden(nginx={"build": {"context": str(tmp_path)}}))
    assert sentence.startswith("scenarios: docker compose build: ")
    assert "connection refused" in sentence
    assert left_of(engine, f"load-balancer-proofs-{offset}") == []


@pytest.mark.parametrize("command", [("up",), pytest.param(("run", "baseline"), marks=pytest.mark.full)])
def test_backend_that_never_gets_healthy_is_named_with_its_last_words(engine, offset, overridden, reports, command):
    never = {"test": ["CMD", "cat", "/nothing"], "interval": "1s", "start_period": "0s"}
    ill = {"healthcheck": never | {"retries": 10}}  # on a busy machine it takes some seconds to its first words
    where = ("--reports", reports) if command[0] == "run" else ()
    sentence = refused(*command, *where, offset=offset, env=overridden(back_02=ill))
    assert "back-02-1 is running, unhealthy: back-02 listens on 0.0.0.0:8002" in sentence
    assert "its health check: cat: /nothing: No such file or directory" in sentence
    assert left_of(engine, f"load-balancer-proofs-{offset}") == []


@pytest.mark.full
def test_backend_that_ends_again_and_again_is_named_with_its_last_words(engine, offset, overridden):
    untagged = {"environment": {"HOST_TAG": "not a tag"}, "healthcheck": {"interval": "1s"}}
    sentence = refused("up", offset=offset, env=overridden(back_03=untagged))
    assert "back-03-1 is" in sentence
    assert "restarts: " in sentence
    assert "backend: HOST_TAG is 'not a tag'" in sentence
    assert left_of(engine, f"load-balancer-proofs-{offset}") == []


def test_stack_partly_there_is_left_as_it_is(stack, compose, reports):
    compose("stop", "back-01")
    try:
        before = [container.text for container in stack.project.containers()]
        sentence = refused("run", "baseline", *SMALL, "--reports", reports, offset=stack.port_offset)
        assert "back-01-1 is exited" in sentence
        assert "`make up STACK=compose` mends it" in sentence
        assert [container.text for container in stack.project.containers()] == before
        assert scenarios("status", offset=stack.port_offset, stack="compose").returncode == 3
    finally:
        mended = scenarios("up", offset=stack.port_offset, stack="compose", within_s=200)
    assert mended.returncode == 0, mended.stderr
    assert stack.is_up()


def test_log_without_room_is_told_before_rows_are_lost(stack, compose, reports):
    assert compose("exec", "nginx", "sh", "-c", "cat /dev/zero > /var/log/nginx/filler").returncode == 1
    try:
        sentence = refused("run", "baseline", *SMALL, "--reports", reports, offset=stack.port_offset)
        assert "the balancer's log in /var/log/nginx has room for" in sentence
        assert f"`docker restart {stack.project.name}-nginx-1` empties it" in sentence
    finally:
        assert compose("restart", "nginx").returncode == 0
    wait_for(stack.is_up)
    stack.require_log_space(600)


@pytest.mark.full
def test_full_disk_ends_the_run_and_says_so(stack, overridden, reports):
    """A limit on the size of files stands in for the disk: writing fails in the same place, with another number."""
    ended = scenarios(
        *("run", "baseline", "--reports", reports),
        offset=stack.port_offset,
        stack="compose",
        env=overridden(locust={"ulimits": {"fsize": 30_000}}),
        within_s=280,
    )
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "File too large" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_more_users_than_open_files_are_refused_before_anything_starts(engine, offset, reports):
    sentence = refused("run", "spike", "--users", 17_000, "--reports", reports, offset=offset)
    assert sentence.startswith("scenarios: 17,000 users need 21,750 open files, and compose.yaml allows 20,000")
    assert left_of(engine, f"load-balancer-proofs-{offset}") == []


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.full)])
def test_start_interrupted_leaves_nothing(engine, offset, number):
    project = f"load-balancer-proofs-{offset}"
    with scenarios_begun("up", offset=offset, stack="compose") as process:
        wait_for(lambda: len(left_of(engine, project)) > 2, within_s=60)
        process.send_signal(number)
        _, said = process.communicate(timeout=90)
    assert process.returncode == 128 + number
    assert said.splitlines()[-1] == "scenarios: interrupted"
    assert left_of(engine, project) == []
