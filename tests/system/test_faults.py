"""Faults on the local stack, and what is refused before anything starts."""

import pandas as pd
import pytest

from scenarios.formats.columns import Column
from scenarios.spec.scenario import Scenario, names
from scenarios.stacks.local.stack import LocalStack
from tests.builders.commands import interrupted_when, run_interrupted_when_struck, scenarios, words_of_locust
from tests.builders.local_stacks import processes_of
from tests.builders.processes import completed
from tests.builders.whole_runs import SMALL, checks, only


@pytest.mark.alone
def test_killed_backend_costs_what_it_had_in_flight_and_returns(offset, reports):
    ended = scenarios("run", "failover", "--reports", reports, offset=offset)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    directory = only(reports, "failover")
    found = checks(directory)
    assert found["lost by kill back-02"]["outcome"] == found["split in without"]["outcome"] == "PASS"
    assert found["sent twice"]["observed"] == "0"
    applied_faults = pd.read_csv(directory / "faults.csv", keep_default_na=False)
    assert list(applied_faults[Column.KIND]) == ["kill", "start"]
    assert not any(applied_faults[Column.FAILURE])


@pytest.mark.parametrize("name", ["all-down", pytest.param("hang", marks=pytest.mark.full)])
def test_ctrl_c_in_the_middle_of_a_fault_leaves_the_stack_as_well_as_it_was(name, offset, reports):
    with LocalStack(offset).up():
        ended = run_interrupted_when_struck(name, reports, offset=offset)
        assert ended.returncode == 130
        assert "stopped; what was recorded is in" in ended.stderr
        after = scenarios("run", "baseline", *SMALL, "--reports", reports, offset=offset)
        assert after.returncode == 0, after.stdout + after.stderr


def test_ctrl_c_in_the_middle_of_a_fault_leaves_nothing_of_a_stack_of_its_own(offset, reports):
    assert run_interrupted_when_struck("failover", reports, offset=offset).returncode == 130
    assert processes_of(offset) == []


@pytest.mark.full
def test_ctrl_c_in_the_middle_of_all_faults_leaves_the_matrix_of_those_done(offset, reports):
    ended = interrupted_when(
        lambda: any(reports.glob("brown-out/*/responses.csv")), "faults", "--reports", reports, offset=offset
    )
    assert ended.returncode == 130, ended.stderr
    assert "unhealthy: is not possible on the local stack\n" in ended.stdout
    (matrix,) = reports.glob("faults/*/matrix.csv")
    assert list(pd.read_csv(matrix)["scenario"]) == ["all-down"]
    assert ended.stdout.endswith(f"kept in {matrix.parent}\n")


def test_fault_that_the_stack_cannot_bring_about_is_refused_before_anything_starts(offset, reports):
    ended = scenarios("run", "restart-new-address", "--reports", reports, offset=offset)
    assert ended.returncode == 2
    assert ended.stderr == "scenarios: new-address back-02: is not possible on the local stack\n"
    assert not reports.exists()


def test_plain_locust_refuses_a_scenario_whose_faults_it_cannot_bring_about(tmp_path):
    options = ("--headless", "--scenario", "failover", "--reports", tmp_path)
    ended = completed(words_of_locust("http://127.0.0.1:9", *options, file="locustfiles/any_scenario.py"))
    assert ended.returncode == 2
    assert "failover: Locust by itself cannot bring its faults about: `make scenario-failover`" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.full
@pytest.mark.alone
@pytest.mark.deadline(1000)
def test_all_faults_one_after_the_other_come_as_predicted(offset, reports):
    ended = scenarios("faults", "--reports", reports, offset=offset, within_s=900)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (matrix,) = reports.glob("faults/*/matrix.csv")
    with_faults = {name for name in names() if Scenario.load(name).faults}
    impossible = {line.split(":")[0] for line in ended.stdout.splitlines() if "is not possible on the local" in line}
    assert impossible == {"restart-new-address", "partition", "unhealthy", "starved"}
    assert set(pd.read_csv(matrix)["scenario"]) == with_faults - impossible
