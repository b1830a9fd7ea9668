"""Faults on the local stack, and what is refused before anything starts."""

import subprocess
import sys

import pandas as pd
import pytest

from scenarios.stacks.local import LocalStack
from tests.conftest import PROJECT, processes_of, scenarios
from tests.system.runs import SMALL, checks, command, interrupted_when, interrupted_when_struck, only


@pytest.mark.alone
def test_a_killed_backend_costs_what_it_had_in_flight_and_returns(offset, reports):
    ended = scenarios("run", "failover", "--reports", reports, offset=offset, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    directory = only(reports, "failover")
    found = checks(directory)
    assert found["lost by kill back-02"]["outcome"] == found["split in without"]["outcome"] == "PASS"
    assert found["sent twice"]["observed"] == "0"
    strikes = pd.read_csv(directory / "faults.csv", keep_default_na=False)
    assert list(strikes["what"]) == ["kill", "start"]
    assert not any(strikes["failure"])


@pytest.mark.parametrize("name", ["all-down", "hang"])
def test_ctrl_c_in_the_middle_of_a_fault_leaves_the_stack_as_well_as_it_was(name, offset, reports):
    with LocalStack(offset).up():
        ended = interrupted_when_struck(name, reports, offset=offset)
        assert ended.returncode == 130
        assert "stopped; what was recorded is in" in ended.stderr
        after = scenarios("run", "baseline", *SMALL, "--reports", reports, offset=offset)
        assert after.returncode == 0, after.stdout + after.stderr


def test_ctrl_c_in_the_middle_of_a_fault_leaves_nothing_of_a_stack_of_its_own(offset, reports):
    assert interrupted_when_struck("failover", reports, offset=offset).returncode == 130
    assert processes_of(offset) == []


def test_ctrl_c_in_the_middle_of_all_faults_leaves_the_matrix_of_those_that_are_done(offset, reports):
    run = command("faults", "--reports", str(reports), offset=offset)
    ended = interrupted_when(lambda: any(reports.glob("brown-out/*/responses.csv")), run)
    assert ended.returncode == 130, ended.stderr
    assert "unhealthy: is not possible on the local stack\n" in ended.stdout
    (matrix,) = reports.glob("faults/*/matrix.csv")
    assert list(pd.read_csv(matrix)["scenario"]) == ["all-down"]
    assert ended.stdout.endswith(f"kept in {matrix.parent}\n")


def test_a_fault_that_the_stack_cannot_bring_about_is_refused_before_anything_starts(offset, reports):
    ended = scenarios("run", "restart-new-address", "--reports", reports, offset=offset)
    assert ended.returncode == 2
    assert ended.stderr == "scenarios: new-address back-02: is not possible on the local stack\n"
    assert not reports.exists()


def test_plain_locust_refuses_a_scenario_whose_faults_it_cannot_bring_about(tmp_path):
    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        "locustfiles/failover.py",
        "--headless",
        "--reports",
        str(tmp_path),
    ]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "failover: Locust by itself cannot bring its faults about: `make scenario-failover`" in ended.stderr
    assert "Traceback" not in ended.stderr
