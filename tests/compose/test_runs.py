"""Whole runs on the compose stack, and that each check of the stack turns red when it should."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pandas as pd
import psutil
import pytest

from scenarios.definition import Scenario, names
from tests.compose.conftest import container_of, left_of
from tests.conftest import PROJECT, command_of, scenarios, wait_for
from tests.system.runs import analyse, answered, broken, manifest, only, rows

MIB = 2**20
SMALL = ("--requests", 600, "--users", 60)
OF_THE_STACK = ("services", "restarts", "OOM kills", "health", "limits", "within limits")


def run(stack, *arguments, **options):
    return scenarios("run", *arguments, offset=stack.port_offset, stack="compose", timeout=400, **options)


def checks(directory):
    return {check["name"]: check for check in json.loads((directory / "verdict.json").read_text())["checks"]}


@pytest.mark.parametrize(
    ("name", "processes"),
    [*((name, 1) for name in sorted(names(), key=lambda name: Scenario.load(name).requests)), ("spike", 2)],
)
def test_every_scenario_at_its_true_size_passes_within_the_limits(name, processes, stack, reports):
    ended = run(stack, name, "--processes", processes, "--reports", reports)
    directory = only(reports, name)
    assert broken(directory) == {}
    if processes == 1:  # two that send together need two cores, which they may have to share here
        assert ended.returncode == 0, ended.stdout + ended.stderr
    scenario, ledger = Scenario.load(name), rows(directory)
    assert len(ledger) == ledger["request_id"].nunique() == scenario.requests
    assert (ledger["error"] == "").all()
    assert ledger["request_id"].str.partition("-")[0].nunique() == processes
    balanced = pd.read_csv(directory / "balancer.csv")
    assert sorted(balanced["balanced_request_id"]) == sorted(ledger["request_id"])
    sixth = scenario.requests / 6
    counts = ledger["host_tag"].value_counts()
    assert all(abs(counts[tag] - part * sixth) <= 1 for tag, part in (("back-01", 1), ("back-02", 2), ("back-03", 3)))
    assert {checks(directory)[check]["outcome"] for check in OF_THE_STACK} == {"PASS"}
    assert stack.is_up()
    assert {path.stat().st_uid for path in directory.rglob("*")} == {os.getuid()}
    assert all((directory / f"{name}.png").exists() for name in ("cpu", "memory", "network", "disk"))


def test_samples_come_about_every_second(stack, reports):
    run(stack, "sustained", "--requests", 20_000, "--reports", reports)
    samples = pd.read_csv(only(reports, "sustained") / "resources.csv")
    apart_s = samples.drop_duplicates(["container", "at_us"]).groupby("container")["at_us"].diff().dropna() / 1e6
    assert 0.9 < apart_s.median() < 1.1
    assert set(samples["service"]) == {"back-01", "back-02", "back-03", "nginx", "locust"}


def test_a_stack_that_was_not_up_is_built_started_and_removed(engine, offset, overridden, reports):
    arguments = ("run", "baseline", *SMALL, "--reports", reports)
    ended = scenarios(*arguments, offset=offset, stack="compose", env=overridden(), timeout=400)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "compose stack started" in ended.stdout
    assert manifest(only(reports))["stack"] == "compose"
    assert manifest(only(reports))["git_commit"]
    assert left_of(engine, f"load-balancer-proofs-{offset}") == []


@pytest.fixture
def running(stack, reports):
    """A run of sustained that is well under way."""
    command = [sys.executable, "-m", "scenarios", "--stack", "compose", "--port-offset", str(stack.port_offset)]
    with subprocess.Popen(
        [*command, "run", "sustained", "--reports", str(reports)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for(lambda: process.poll() is not None or answered(reports) > 10_000)
        assert process.poll() is None, process.communicate()
        yield process
        process.kill()


def test_a_child_that_is_killed_for_want_of_memory_fails_the_run(running, engine, stack, reports):
    """The container lives on, and is not started again: only the kernel's counter tells."""
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'x = bytearray(300_000_000)'])"
    made = engine.exec_create(container_of(stack, "back-03").id, ["python", "-c", child])["Id"]
    engine.exec_start(made)
    out, said = running.communicate(timeout=120)
    found = checks(only(reports, "sustained"))
    assert running.returncode == 1, out + said
    assert found["OOM kills"]["outcome"] == "FAIL"
    assert found["OOM kills"]["observed"].startswith("back-03 1")
    assert found["restarts"]["outcome"] == "PASS"


def test_a_service_that_is_killed_for_want_of_memory_fails_the_run(running, engine, stack, reports):
    """The container is started again at once, and the kernel's counter with it: the engine's word remains."""
    container = container_of(stack, "back-01").id
    eat = "echo 1000 > /proc/1/oom_score_adj; python -c 'x = bytearray(200_000_000)'"  # the kernel takes the first
    engine.exec_start(engine.exec_create(container, ["sh", "-c", eat])["Id"])
    running.communicate(timeout=200)
    found = checks(only(reports, "sustained"))
    assert running.returncode == 1
    assert (found["OOM kills"]["outcome"], found["OOM kills"]["observed"]) == ("FAIL", "back-01 1")
    assert (found["restarts"]["outcome"], found["restarts"]["observed"]) == ("FAIL", "back-01 1")
    wait_for(stack.is_up, within_s=90)


def test_a_container_that_is_started_again_fails_the_run(running, engine, stack, reports):
    engine.restart(container_of(stack, "back-01").id, timeout=1)
    running.communicate(timeout=200)
    found = checks(only(reports, "sustained"))
    assert running.returncode == 1
    assert (found["restarts"]["outcome"], found["restarts"]["observed"]) == ("FAIL", "back-01 1")
    wait_for(stack.is_up, within_s=90)


def test_limits_that_are_not_those_claimed_fail_the_run(running, engine, stack, reports):
    container = container_of(stack, "back-02").id
    changed = "0.25 CPU 100 MiB 28 MiB swap 32 processes"
    engine.update_container(container, mem_limit=100 * MIB)
    running.communicate(timeout=120)
    engine.update_container(container, mem_limit=128 * MIB)
    found = checks(only(reports, "sustained"))
    assert running.returncode == 1
    assert (found["limits"]["outcome"], found["limits"]["observed"]) == ("FAIL", f"back-02 {changed}")


def test_a_run_that_is_interrupted_ends_in_order_and_leaves_the_stack_up(running, engine, stack, reports):
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "stopped; what was recorded is in" in said
    directory = only(reports, "sustained")
    assert manifest(directory)["end"]["reason"] == "it was interrupted"
    assert analyse(directory).returncode == 3
    assert stack.is_up()
    assert not any("locust" in name for name in left_of(engine, stack.project))


def test_a_runner_that_is_killed_takes_the_stack_with_it_that_it_started(engine, offset, overridden, reports):
    command = [sys.executable, "-m", "scenarios", "--stack", "compose", "--port-offset", str(offset)]
    with subprocess.Popen(
        [*command, "run", "sustained", "--reports", str(reports)],
        cwd=PROJECT,
        env=overridden(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_for(lambda: answered(reports) > 10_000, within_s=200)
        process.kill()
    wait_for(lambda: left_of(engine, f"load-balancer-proofs-{offset}") == [], within_s=60)
    wait_for(lambda: not any("scenarios.stacks.caretaker" in command_of(process) for process in psutil.process_iter()))


def test_a_stack_made_from_older_sources_is_not_measured(stack, reports, overridden, tmp_path):
    nginx = shutil.copytree(PROJECT / "nginx", tmp_path / "nginx")
    with (nginx / "nginx.conf").open("a") as conf:
        conf.write("\n# changed\n")
    env = overridden(nginx={"build": {"context": str(nginx)}})
    ended = run(stack, "baseline", *SMALL, "--reports", reports, env=env)
    assert ended.returncode == 2
    assert "nginx-1: made from sources that have changed since: `make up STACK=compose` renews it" in ended.stderr


def test_a_service_that_was_scaled_is_not_measured(stack, compose, overridden, reports):
    quick = overridden() | {"BACK_01_PORT": ""}
    scaled = compose("up", "-d", "--no-deps", "--scale", "back-01=2", "back-01", env=quick)
    assert scaled.returncode == 0, scaled.stderr
    try:
        wait_for(stack.is_up, within_s=60)
        ended = run(stack, "baseline", *SMALL, "--reports", reports)
    finally:
        scenarios("up", offset=stack.port_offset, stack="compose", timeout=200)
    assert ended.returncode == 2
    assert "back-01 has 2 containers: a run wants one" in ended.stderr
    assert len(stack.containers()) == 4
