"""What the balancer does when containers come, go and move, as `docker compose` lets them."""

import os
from collections import Counter
from datetime import datetime

import pytest

from scenarios.stacks.compose.stack import ComposeStack
from tests.builders.http import ask
from tests.builders.processes import completed, wait_for
from tests.compose.conftest import BACKENDS, container_of, environment

BACK_WITHIN_S = 40.0  # an eighth of a CPU takes its time to start, and nginx asks again after 5 s


@pytest.fixture
def stack(quickly_asked):
    """The stack whose services are soon known to be well again."""
    return quickly_asked


def cycle(stack):
    """The tags of twelve answers, two cycles of all three; None where an answer has no tag."""
    return Counter(ask(stack.url).headers.get("x-host-tag") for _ in range(12))


def address(engine, stack, service):
    networks = engine.inspect_container(container_of(stack, service).id)["NetworkSettings"]["Networks"]
    return networks[f"{stack.project.name}_default"]["IPAddress"]


def test_stopped_backend_leaves_its_share_to_the_others_and_returns(stack, compose):
    assert compose("stop", "back-01").returncode == 0
    wait_for(lambda: cycle(stack) in ({"back-02": 5, "back-03": 7}, {"back-02": 4, "back-03": 8}))
    assert compose("start", "back-01").returncode == 0
    wait_for(lambda: cycle(stack) == {"back-01": 2, "back-02": 4, "back-03": 6}, BACK_WITHIN_S)
    wait_for(stack.is_up, BACK_WITHIN_S)


def test_backend_moved_to_another_address_is_found_there(engine, stack):
    before = address(engine, stack, "back-01")
    container = container_of(stack, "back-01").id
    network = f"{stack.project.name}_default"
    squatter = engine.create_container(
        f"{stack.project.name}-back-01",
        ["sleep", "60"],
        host_config=engine.create_host_config(network_mode=network),
    )
    try:
        engine.disconnect_container_from_network(container, network)
        engine.start(squatter)  # takes the address that has become free
        engine.connect_container_to_network(container, network, aliases=["back-01"])
        assert address(engine, stack, "back-01") != before
        wait_for(lambda: cycle(stack) == {"back-01": 2, "back-02": 4, "back-03": 6}, BACK_WITHIN_S)
    finally:
        engine.remove_container(squatter, force=True)


@pytest.mark.full
def test_up_naming_two_backends_starts_all_three_and_the_balancer_last(engine, offset, overridden):
    stack = ComposeStack(offset)
    named = ("back-01", "back-02", "nginx")
    up = completed(["docker", "compose", "up", "-d", *named], 200, env=overridden() | environment(stack))
    assert up.returncode == 0, up.stderr
    states = {each.service: engine.inspect_container(each.id)["State"] for each in stack.project.containers()}
    for service in BACKENDS:
        healthy = min(check["End"] for check in states[service]["Health"]["Log"] if check["ExitCode"] == 0)
        assert datetime.fromisoformat(healthy) < datetime.fromisoformat(states["nginx"]["StartedAt"])
    wait_for(stack.is_up)
    assert cycle(stack) == {"back-01": 2, "back-02": 4, "back-03": 6}
    down = completed(["docker", "compose", "down", "-v"], 100, env=os.environ | environment(stack))
    assert down.returncode == 0, down.stderr
