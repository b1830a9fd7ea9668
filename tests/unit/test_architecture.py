"""Who may import whom. The rules are the project's structure; a test shows that breaking one is noticed."""

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
CONTRACTS = {
    "attendance",
    "claim",
    "console",
    "definition",
    "errors",
    "fault",
    "ledgers",
    "model",
    "probe_record",
    "report_directory",
    "round_robin",
    "round_robin_after_faults",
    "round_robin_with_faults",
    "stack_record",
}
# what each room may import of the project; within `scenarios`, the contracts are all that other rooms may see
ROOMS = {
    "backend": {"backend"},
    "scenarios": {"scenarios"},
    "locustfiles": {"locustfiles"} | {f"scenarios.{name}" for name in CONTRACTS},
    "analysis": {"analysis"} | {f"scenarios.{name}" for name in CONTRACTS},
}
LOAD = {"gevent", "locust", "geventhttpclient"}  # patch the standard library: only Locust's own process may have them
NETWORK = {"socket", "urllib", "http", "requests", "httpx"}


def imports(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            assert node.module is not None
            yield node.module


def trespasses(room, source):
    """The imports in a file of this room that its rules forbid."""
    for module in imports(source):
        top = module.partition(".")[0]
        allowed = ROOMS[room]
        if top in ROOMS and module not in allowed and top not in allowed:
            yield module
        if top in LOAD and room != "locustfiles":
            yield module
        if top in NETWORK and room == "analysis":
            yield module


def files(room):
    return sorted((PROJECT / room).rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_keeps_to_its_rules(room):
    assert files(room)
    broken = {str(file): found for file in files(room) if (found := list(trespasses(room, file.read_text())))}
    assert broken == {}


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("backend", "from scenarios.errors import UsageError"),
        ("analysis", "import locust"),
        ("analysis", "from scenarios.stacks.local import LocalStack"),
        ("analysis", "import urllib.request"),
        ("scenarios", "from gevent import spawn"),
        ("scenarios", "import analysis.report"),
        ("locustfiles", "from analysis.statistics import latency"),
        ("locustfiles", "from scenarios.runner import run"),
        ("locustfiles", "def f():\n    import backend.domain"),
    ],
)
def test_a_trespass_is_noticed(room, source):
    assert list(trespasses(room, source))


def test_the_domain_of_the_backend_knows_no_web_framework():
    for layer in ("domain", "application"):
        for file in files(f"backend/{layer}"):
            assert not {"fastapi", "starlette", "uvicorn"} & {
                name.partition(".")[0] for name in imports(file.read_text())
            }
    for file in files("backend/domain"):
        assert all("application" not in name and "presentation" not in name for name in imports(file.read_text()))
