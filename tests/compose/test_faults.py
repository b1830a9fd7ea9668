"""Faults that only containers can have."""

import pandas as pd
import pytest

from tests.conftest import ask, scenarios
from tests.system.runs import broken, checks, interrupted_when_struck, only


@pytest.fixture
def stack(quickly_asked):
    """The stack whose services are soon known to be well again."""
    return quickly_asked


@pytest.mark.alone
def test_a_backend_with_a_new_address_keeps_its_share_and_no_request_is_lost(stack, reports):
    arguments = ("run", "restart-new-address", "--reports", reports)
    ended = scenarios(*arguments, offset=stack.port_offset, stack="compose", timeout=300)
    directory = only(reports, "restart-new-address")
    assert broken(directory) == {}, ended.stderr
    strikes = pd.read_csv(directory / "faults.csv", keep_default_na=False)
    before, after = strikes["detail"][0].split("; ")[1].split(", then ")
    assert before != after
    assert checks(directory)["split in healed"]["outcome"] == "PASS"
    assert stack.is_up()


def test_ctrl_c_while_a_backend_is_cut_off_lets_it_be_reached_again(stack, reports):
    ended = interrupted_when_struck("partition", reports, offset=stack.port_offset, stack="compose")
    assert ended.returncode == 130
    assert all(ask(f"{url}/health").status == 200 for url in stack.backends().values())
    assert stack.is_up()
