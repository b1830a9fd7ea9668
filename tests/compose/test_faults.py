"""Faults that only containers can have."""

import pandas as pd
import pytest

from scenarios.formats.columns import Column
from scenarios.spec.scenario import Scenario, names
from tests.builders.commands import run_interrupted_when_struck, scenarios
from tests.builders.http import ask
from tests.builders.whole_runs import broken, checks, only


@pytest.fixture
def stack(quickly_asked):
    """The stack whose services are soon known to be well again."""
    return quickly_asked


@pytest.mark.full
@pytest.mark.alone
def test_backend_with_a_new_address_keeps_its_share_and_no_request_is_lost(stack, reports):
    arguments = ("run", "restart-new-address", "--reports", reports)
    ended = scenarios(*arguments, offset=stack.port_offset, stack="compose", within_s=300)
    directory = only(reports, "restart-new-address")
    assert broken(directory) == {}, ended.stderr
    applied_faults = pd.read_csv(directory / "faults.csv", keep_default_na=False)
    before, after = applied_faults[Column.DETAIL][0].split("; ")[1].split(", then ")
    assert before != after
    assert checks(directory)["split in healed"]["outcome"] == "PASS"
    assert stack.is_up()


def test_ctrl_c_while_a_backend_is_cut_off_lets_it_be_reached_again(stack, reports):
    ended = run_interrupted_when_struck("partition", reports, offset=stack.port_offset, stack="compose")
    assert ended.returncode == 130
    assert all(ask(f"{url}/health").status == 200 for url in stack.backends().values())
    assert stack.is_up()


@pytest.mark.full
@pytest.mark.alone
@pytest.mark.deadline(1300)
def test_all_faults_one_after_the_other_come_as_predicted(stack, reports):
    arguments = ("faults", "--reports", reports)
    ended = scenarios(*arguments, offset=stack.port_offset, stack="compose", within_s=1200)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (matrix,) = reports.glob("faults/*/matrix.csv")
    assert set(pd.read_csv(matrix)["scenario"]) == {name for name in names() if Scenario.load(name).faults}
    assert stack.is_up()
