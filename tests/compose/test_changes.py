"""What the balancer does when containers come, go and move, as `docker compose` lets them."""

import os
import subprocess
from collections import Counter
from datetime import datetime

import pytest

from scenarios.stacks.compose import ComposeStack
from tests.compose.conftest import BACKENDS, container_of, environment
from tests.conftest import PROJECT, ask, wait_for

BACK_WITHIN_S = 40.0  # an eighth of a CPU takes its time to start, and nginx asks again after 5 s


@pytest.fixture
def stack(quickly_asked):
    """The stack whose services are soon known to be well again."""
    return quickly_asked


def cycle(stack):
    """Who answers twelve requests, two cycles of all three; nobody is called None."""
    return Counter(ask(stack.url).headers.get("x-host-tag") for _ in range(12))


def address(engine, stack, service):
    networks = engine.inspect_container(container_of(stack, service).id)["NetworkSettings"]["Networks"]
    return networks[f"{stack.project.name}_default"]["IPAddress"]


def test_the_others_share_the_requests_of_one_that_is_stopped_and_it_comes_back(stack, compose):
    assert compose("stop", "back-01").returncode == 0
    wait_for(lambda: cycle(stack) in ({"back-02": 5, "back-03": 7}, {"back-02": 4, "back-03": 8}))
    assert compose("start", "back-01").returncode == 0
    wait_for(lambda: cycle(stack) == {"back-01": 2, "back-02": 4, "back-03": 6}, BACK_WITHIN_S)
    wait_for(stack.is_up, BACK_WITHIN_S)


def test_a_backend_that_moves_to_another_address_is_found_there(engine, stack):
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


def test_naming_two_backends_and_the_balancer_starts_all_three_and_the_balancer_last(engine, offset, overridden):
    stack = ComposeStack(offset)
    command = ["docker", "compose", "up", "-d", "back-01", "back-02", "nginx"]
    subprocess.run(command, cwd=PROJECT, env=overridden() | environment(stack), check=True, capture_output=True)
    states = {each.service: engine.inspect_container(each.id)["State"] for each in stack.project.containers()}
    for service in BACKENDS:
        healthy = min(check["End"] for check in states[service]["Health"]["Log"] if check["ExitCode"] == 0)
        assert datetime.fromisoformat(healthy) < datetime.fromisoformat(states["nginx"]["StartedAt"])
    wait_for(stack.is_up)
    assert cycle(stack) == {"back-01": 2, "back-02": 4, "back-03": 6}
    down = ["docker", "compose", "down", "-v"]
    subprocess.run(down, cwd=PROJECT, env=os.environ | environment(stack), check=True, capture_output=True)
