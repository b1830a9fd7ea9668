"""What needs a real Docker engine. One stack with the true compose.yaml serves every test that only looks or runs."""

import gc
import json
import os
import shutil
import warnings
from contextlib import suppress

import pytest
from docker.errors import NotFound

from scenarios.spec.errors import UsageError
from scenarios.stacks.compose.docker_engine import connect
from scenarios.stacks.compose.stack import ComposeStack
from scenarios.stacks.stack import PROJECT
from tests.builders.commands import scenarios
from tests.builders.free_ports import port_offset
from tests.builders.local_stacks import PORTS
from tests.builders.processes import completed

HERE = "tests/compose"
BACKENDS = ("back-01", "back-02", "back-03")
QUICK = {"healthcheck": {"interval": "2s"}}


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(PROJECT / HERE):
            item.add_marker(pytest.mark.docker)


def why_not():
    """Why no engine can be used here; empty when one can."""
    try:
        connect().close()
    except UsageError as error:
        return str(error)
    return ""


@pytest.fixture(scope="session", autouse=True)
def engine():
    """A client of the engine, without which these tests say why they are skipped."""
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        reason = why_not()
        gc.collect()  # the docker package leaves a socket to the collector when it finds no engine
    if reason and os.environ.get("DOCKER_REQUIRED"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    client = connect()
    yield client
    client.close()


def left_of(engine, project):
    """Containers and networks of a project."""
    label = {"label": f"com.docker.compose.project={project}"}
    containers = [name for each in engine.containers(all=True, filters=label) for name in each["Names"]]
    return containers + [network["Name"] for network in engine.networks(filters=label)]


def removed(engine, stack):
    """Remove what a test left, and say what it was."""
    left = left_of(engine, stack.project.name)
    if left:
        stack.stop()
    for service in (*BACKENDS, "nginx", "locust", "locust-master", "locust-worker"):
        with suppress(NotFound):
            engine.remove_image(f"{stack.project.name}-{service}")
    shutil.rmtree(stack.directory, ignore_errors=True)
    stack.directory.with_suffix(".lock").unlink(missing_ok=True)
    return left


@pytest.fixture(scope="session")
def stack(engine):
    """The stack of compose.yaml, up."""
    stack = ComposeStack(port_offset(*PORTS))
    up = scenarios("up", offset=stack.port_offset, stack="compose", within_s=280)
    assert up.returncode == 0, up.stderr
    yield stack
    removed(engine, stack)


@pytest.fixture(scope="session")
def quick_checks(tmp_path_factory):
    """The files of compose.yaml with health checks that follow each other quickly."""
    path = tmp_path_factory.mktemp("quick") / "override.json"
    path.write_text(json.dumps({"services": dict.fromkeys(BACKENDS, QUICK)}))
    return f"compose.yaml:{path}"


@pytest.fixture(scope="session")
def stack_quickly_asked(engine, quick_checks):
    """The stack of these files, up. The engine asks for the health of what was started after one interval."""
    stack = ComposeStack(port_offset(*PORTS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPOSE_FILE", quick_checks)
        up = scenarios("up", offset=stack.port_offset, stack="compose", within_s=280)
        assert up.returncode == 0, up.stderr
        assert stack.is_up()
    yield stack
    removed(engine, stack)


@pytest.fixture
def quickly_asked(stack_quickly_asked, quick_checks, monkeypatch):
    """The same, for tests that stop and start its services: every command is of the same files."""
    monkeypatch.setenv("COMPOSE_FILE", quick_checks)
    return stack_quickly_asked


def run(stack, *arguments, **options):
    """A run on a compose stack, as a person would start it."""
    return scenarios("run", *arguments, offset=stack.port_offset, stack="compose", within_s=280, **options)


@pytest.fixture
def offset(engine):
    """A port offset, and so a project, of this test's own; whatever is still there afterwards is a failure."""
    stack = ComposeStack(port_offset(*PORTS))
    yield stack.port_offset
    assert removed(engine, stack) == []


def container_of(stack, service):
    return next(container for container in stack.project.containers() if container.service == service)


@pytest.fixture
def compose(stack):
    """`docker compose` for the stack that is up, as a person would type it."""

    def compose(*arguments, env=None):
        return completed(["docker", "compose", *arguments], 200, env=os.environ | environment(stack) | (env or {}))

    return compose


def environment(stack):
    """What moves `docker compose` to the project and the ports of a stack."""
    ports = zip((*BACKENDS, "nginx"), PORTS, strict=True)
    moved = {f"{name.upper().replace('-', '_')}_PORT": str(port + stack.port_offset) for name, port in ports}
    return moved | {"COMPOSE_PROJECT_NAME": stack.project.name, "LOCUST_PORT": str(8089 + stack.port_offset)}


@pytest.fixture
def inspected(engine, stack):
    """What the engine says of each service's container."""
    return {container.service: engine.inspect_container(container.id) for container in stack.project.containers()}


@pytest.fixture
def overridden(tmp_path):
    """The environment in which services of compose.yaml have other settings, and quick health checks."""

    def overridden(**services):
        changed = dict.fromkeys(BACKENDS, QUICK) | {name.replace("_", "-"): text for name, text in services.items()}
        path = tmp_path / "override.json"
        path.write_text(json.dumps({"services": changed}))
        return os.environ | {"COMPOSE_FILE": f"compose.yaml:{path}"}

    return overridden
