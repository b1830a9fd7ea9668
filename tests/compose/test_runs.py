"""Whole runs on the compose stack, and that each check of the stack turns red when it should."""

import os

import pandas as pd
import psutil
import pytest

from scenarios.formats.columns import Column
from scenarios.spec.scenario import Scenario, names
from tests.builders.commands import scenarios, scenarios_begun
from tests.builders.processes import command_of, wait_for
from tests.builders.whole_runs import answered, broken, checks, manifest, only, rows
from tests.compose.conftest import left_of, run

MIB = 2**20
SMALL = ("--requests", 600, "--users", 60)
OF_THE_STACK = ("services", "restarts", "OOM kills", "health", "limits", "within limits")
UNBROKEN = sorted(
    (name for name in names() if not Scenario.load(name).faults), key=lambda name: Scenario.load(name).requests
)


def assert_sampled_every_second(directory):
    samples = pd.read_csv(directory / "resources.csv")
    apart_s = (
        samples.drop_duplicates([Column.CONTAINER, Column.AT_US])
        .groupby(Column.CONTAINER)[Column.AT_US]
        .diff()
        .dropna()
        / 1e6
    )
    assert 0.9 < apart_s.median() < 1.1
    assert set(samples[Column.SERVICE]) == {"back-01", "back-02", "back-03", "nginx", "locust"}


@pytest.mark.full
@pytest.mark.alone
@pytest.mark.parametrize(
    ("name", "processes"),
    [*((name, 1) for name in UNBROKEN), ("spike", 2)],
)
def test_every_scenario_at_its_true_size_passes_within_the_limits(name, processes, stack, reports):
    ended = run(stack, name, "--processes", processes, "--reports", reports)
    directory = only(reports, name)
    assert broken(directory) == {}
    if processes == 1:  # two that send together need two cores, which they may have to share here
        assert ended.returncode == 0, ended.stdout + ended.stderr
    scenario, ledger = Scenario.load(name), rows(directory)
    assert len(ledger) == ledger[Column.REQUEST_ID].nunique() == scenario.requests
    assert (ledger[Column.ERROR] == "").all()
    assert ledger[Column.REQUEST_ID].str.partition("-")[0].nunique() == processes
    balanced = pd.read_csv(directory / "balancer.csv")
    assert sorted(balanced[Column.REQUEST_ID]) == sorted(ledger[Column.REQUEST_ID])
    sixth = scenario.requests / 6
    counts = ledger[Column.HOST_TAG].value_counts()
    assert all(abs(counts[tag] - part * sixth) <= 1 for tag, part in (("back-01", 1), ("back-02", 2), ("back-03", 3)))
    assert {checks(directory)[check]["outcome"] for check in OF_THE_STACK} == {"PASS"}
    if name == "sustained":
        assert_sampled_every_second(directory)
    assert stack.is_up()
    assert {path.stat().st_uid for path in directory.rglob("*")} == {os.getuid()}
    assert all((directory / f"{name}.png").exists() for name in ("cpu", "memory", "network", "disk"))


def test_stack_not_up_is_built_started_and_removed(engine, offset, overridden, reports):
    arguments = ("run", "baseline", *SMALL, "--reports", reports)
    ended = scenarios(*arguments, offset=offset, stack="compose", env=overridden(), within_s=280)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "compose stack started" in ended.stdout
    assert manifest(only(reports))["stack"] == "compose"
    assert manifest(only(reports))["git_commit"]
    assert left_of(engine, f"load-balancer-proofs-{offset}") == []


def test_killed_runner_takes_its_own_stack_with_it(engine, offset, overridden, reports):
    words = ("run", "sustained", "--reports", reports)
    with scenarios_begun(*words, offset=offset, stack="compose", env=overridden()) as process:
        wait_for(lambda: answered(reports) > 10_000, within_s=200)
        process.kill()
    wait_for(lambda: left_of(engine, f"load-balancer-proofs-{offset}") == [], within_s=60)
    wait_for(
        lambda: not any("scenarios.stacks.compose.cleanup" in command_of(process) for process in psutil.process_iter())
    )
