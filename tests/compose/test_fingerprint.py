"""The balancer of the compose stack, by what it does."""

import json

import pytest

from scenarios.spec.balancer import Algorithm
from tests.builders.commands import scenarios


@pytest.fixture
def stack(quickly_asked):
    """The stack whose services are soon known to be well again."""
    return quickly_asked


def test_balancer_in_its_container_looks_like_round_robin_with_one_state(stack, reports):
    ended = scenarios("fingerprint", "--reports", reports, offset=stack.port_offset, stack="compose", within_s=280)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (directory,) = (reports / "fingerprint").iterdir()
    found = json.loads((directory / "fingerprint.json").read_text())
    assert [each["algorithm"] for each in found["hypotheses"] if each["outcome"] == "fits"] == [Algorithm.SHARED]
    assert "left out: addresses: to the balancer of the compose stack all requests" in ended.stdout
    assert stack.is_up()
