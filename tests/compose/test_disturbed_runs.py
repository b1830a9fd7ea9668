"""Runs that something comes between, or that cannot begin: the check that it is for turns, and nothing else breaks."""

import shutil
import signal

import pytest

from scenarios.formats.columns import Column
from scenarios.stacks.stack import PROJECT
from tests.builders.commands import analyse, scenarios, scenarios_begun
from tests.builders.processes import wait_for
from tests.builders.whole_runs import answered, checks, manifest, only
from tests.compose.conftest import container_of, left_of, run

MIB = 2**20
SMALL = ("--requests", 600, "--users", 60)
LONG_ENOUGH = "25000"  # for what happens in its midst to be sampled


@pytest.fixture
def stack(quickly_asked):
    """The stack whose services are soon known to be well again."""
    return quickly_asked


@pytest.fixture
def running(stack, reports):
    """A run of sustained that is well under way."""
    words = ("run", "sustained", "--requests", LONG_ENOUGH, "--reports", reports)
    with scenarios_begun(*words, offset=stack.port_offset, stack="compose") as process:
        wait_for(lambda: process.poll() is not None or answered(reports) > 10_000)
        assert process.poll() is None, process.communicate(timeout=10)
        yield process


@pytest.mark.full
def test_child_killed_for_want_of_memory_fails_the_run(running, engine, stack, reports):
    """The container lives on, and is not started again: only the kernel's counter tells."""
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'x = bytearray(300_000_000)'])"
    made = engine.exec_create(container_of(stack, "back-03").id, ["python", "-c", child])["Id"]
    engine.exec_start(made)
    out, said = running.communicate(timeout=120)
    found = checks(only(reports, "sustained"))
    assert running.returncode == 1, out + said
    assert found["OOM kills"]["outcome"] == "FAIL"
    assert found["OOM kills"]["observed"].startswith("back-03 1")
    assert found[Column.RESTARTS]["outcome"] == "PASS"


def test_service_killed_for_want_of_memory_fails_the_run(running, engine, stack, reports):
    """The container is started again at once, and the kernel's counter with it: the engine's word remains."""
    container = container_of(stack, "back-01").id
    eat = "echo 1000 > /proc/1/oom_score_adj; python -c 'x = bytearray(200_000_000)'"  # the kernel takes the first
    engine.exec_start(engine.exec_create(container, ["sh", "-c", eat])["Id"])
    running.communicate(timeout=200)
    found = checks(only(reports, "sustained"))
    assert running.returncode == 1
    assert (found["OOM kills"]["outcome"], found["OOM kills"]["observed"]) == ("FAIL", "back-01 1")
    assert (found[Column.RESTARTS]["outcome"], found[Column.RESTARTS]["observed"]) == ("FAIL", "back-01 1")
    wait_for(stack.is_up, within_s=90)


@pytest.mark.full
def test_container_started_again_fails_the_run(running, engine, stack, reports):
    engine.restart(container_of(stack, "back-01").id, timeout=1)
    running.communicate(timeout=200)
    found = checks(only(reports, "sustained"))
    assert running.returncode == 1
    assert (found[Column.RESTARTS]["outcome"], found[Column.RESTARTS]["observed"]) == ("FAIL", "back-01 1")
    wait_for(stack.is_up, within_s=90)


@pytest.mark.full
def test_limits_not_those_claimed_fail_the_run(running, engine, stack, reports):
    container = container_of(stack, "back-02").id
    changed = "0.25 CPU 100 MiB 28 MiB swap 32 processes"
    engine.update_container(container, mem_limit=100 * MIB)
    running.communicate(timeout=120)
    engine.update_container(container, mem_limit=128 * MIB)
    found = checks(only(reports, "sustained"))
    assert running.returncode == 1
    assert (found["limits"]["outcome"], found["limits"]["observed"]) == ("FAIL", f"back-02 {changed}")


def test_run_interrupted_ends_in_order_and_leaves_the_stack_up(running, engine, stack, reports):
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "stopped; what was recorded is in" in said
    directory = only(reports, "sustained")
    assert manifest(directory)["end"]["reason"] == "it was interrupted"
    assert analyse(directory).returncode == 3
    assert stack.is_up()
    assert not any("locust" in name for name in left_of(engine, stack.project.name))


def test_stack_made_from_older_sources_is_not_measured(stack, reports, overridden, tmp_path):
    nginx = shutil.copytree(PROJECT / "nginx", tmp_path / "nginx")
    with (nginx / "nginx.conf").open("a") as conf:
        conf.write("\n# changed\n")
    env = overridden(nginx={"build": {"context": str(nginx)}})
    ended = run(stack, "baseline", *SMALL, "--reports", reports, env=env)
    assert ended.returncode == 2
    assert "nginx-1: made from sources that have changed since: `make up STACK=compose` renews it" in ended.stderr


@pytest.mark.full
def test_service_scaled_is_not_measured(stack, compose, overridden, reports):
    quick = overridden() | {"BACK_01_PORT": ""}
    scaled = compose("up", "-d", "--no-deps", "--scale", "back-01=2", "back-01", env=quick)
    assert scaled.returncode == 0, scaled.stderr
    try:
        wait_for(stack.is_up, within_s=60)
        ended = run(stack, "baseline", *SMALL, "--reports", reports)
    finally:
        scenarios("up", offset=stack.port_offset, stack="compose", within_s=200)
    assert ended.returncode == 2
    assert "back-01 has 2 containers: a run wants one" in ended.stderr
    assert len(stack.project.containers()) == 4
