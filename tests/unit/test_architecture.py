"""The rules of the layout: which folder may import which, and how large things may be. Each is shown to fail."""

import ast
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
ROOMS = ("backend", "scenarios", "locustfiles", "analysis")
SHARED = ("scenarios.spec", "scenarios.formats", "scenarios.cli")
# the floors of each room, lowest first: a module imports its own floor and those below it
FLOORS = {
    "backend": ["backend"],
    "scenarios": [
        "scenarios.spec",
        "scenarios.formats",
        "scenarios.cli",
        "scenarios.stacks",
        "scenarios.run",
        "scenarios.__main__",
    ],
    "locustfiles": [*SHARED, "locustfiles"],
    "analysis": [
        *SHARED,
        "analysis.evidence",
        "analysis.measures",
        "analysis.faults",
        "analysis.tables",
        "analysis.checks",
        "analysis.verdict",
        "analysis.charts",
        "analysis.documents",
        "analysis.report",
        "analysis.comparison",
        "analysis.fingerprint",
        "analysis.tools",
        "analysis.__main__",
    ],
}
OF_ONE_KIND = {"analysis/charts", "analysis/checks"}  # a chart each, a check each: they may be many
LOAD = {"gevent", "locust", "geventhttpclient"}  # patch the standard library: only Locust's own process may have them
NETWORK = {"socket", "urllib", "http", "requests", "httpx"}
MODULES_SIDE_BY_SIDE, LINES_OF_A_FILE, LINES_OF_A_FUNCTION = 15, 250, 40


def files(room):
    listed = subprocess.run(
        ["git", "ls-files", f"{room}/*.py"], cwd=PROJECT, capture_output=True, text=True, timeout=30, check=True
    )
    return [path for path in map(PROJECT.joinpath, listed.stdout.split()) if path.exists()]


def module_of(path):
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


def imports(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor_of(module, floors):
    return next((place for place, floor in enumerate(floors) if f"{module}.".startswith(f"{floor}.")), None)


def trespasses(module, source):
    """The imports in a module that the rules of its room forbid."""
    room = module.partition(".")[0]
    floors = FLOORS[room]
    own = floor_of(module, floors)
    for imported in imports(source):
        top = imported.partition(".")[0]
        if top in ROOMS:
            floor = floor_of(imported, floors)
            if floor is None or (own is not None and floor > own):
                yield imported
        if top in LOAD and room != "locustfiles":
            yield imported
        if top in NETWORK and room == "analysis":
            yield imported


def circles(graph):
    """The modules that import themselves by way of others: what is left when those without imports are taken away."""
    left = {module: set(imported) for module, imported in graph.items()}
    while free := {module for module, imported in left.items() if not imported & left.keys()}:
        left = {module: imported for module, imported in left.items() if module not in free}
    return set(left)


def long_functions(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = node.end_lineno - node.lineno + 1
            if lines > LINES_OF_A_FUNCTION:
                yield node.name, lines


def classes(source):
    return [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_keeps_to_its_rules(room):
    assert files(room)
    broken = {
        str(path): found for path in files(room) if (found := list(trespasses(module_of(path), path.read_text())))
    }
    assert broken == {}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("backend.draining", "from scenarios.spec.errors import UsageError"),
        ("backend.draining", "def f():\n    import analysis.report"),
        ("scenarios.spec.claim", "from scenarios.formats.rows import Response"),
        ("scenarios.formats.rows", "from scenarios.cli.console import Console"),
        ("scenarios.stacks.stack", "from scenarios.run.runner import run"),
        ("scenarios.run.runner", "from scenarios import __main__"),
        ("scenarios.run.runner", "from gevent import spawn"),
        ("scenarios.run.runner", "import analysis.report"),
        ("locustfiles.generator.user", "from analysis.measures.statistics import ALL"),
        ("locustfiles.generator.user", "from scenarios.run.runner import run"),
        ("locustfiles.generator.user", "def f():\n    import backend.domain"),
        ("analysis.tables", "import locust"),
        ("analysis.tables", "from scenarios.stacks.local.stack import LocalStack"),
        ("analysis.tables", "import urllib.request"),
        ("analysis.measures.latency", "from analysis.checks.check import Check"),
        ("analysis.checks.split", "from analysis.charts.drawing.style import COLOURS"),
        ("analysis.charts.latency", "from analysis.documents.page import page"),
    ],
)
def test_a_trespass_is_noticed(module, source):
    assert list(trespasses(module, source))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("scenarios.run.runner", "from scenarios.stacks.stack import Stack"),
        ("analysis.charts.latency", "from analysis.measures.latency import latency"),
        ("locustfiles.generator.user", "from scenarios.spec.scenario import Scenario"),
    ],
)
def test_a_way_down_is_open(module, source):
    assert list(trespasses(module, source)) == []


def test_nothing_imports_in_a_circle():
    every = {module_of(path): path.read_text() for path in chain.from_iterable(map(files, ROOMS))}
    graph = {
        module: {found for name in imports(source) for found in (name, name.rpartition(".")[0]) if found in every}
        - {module}
        for module, source in every.items()
    }
    assert circles(graph) == set()


def test_a_circle_is_noticed():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == {"a", "b", "c"}


def test_no_folder_is_crowded():
    folders = Counter(
        str(path.parent.relative_to(PROJECT))
        for path in chain.from_iterable(map(files, ROOMS))
        if path.name != "__init__.py"
    )
    crowded = {folder: count for folder, count in folders.items() if count > MODULES_SIDE_BY_SIDE}
    assert crowded.keys() <= OF_ONE_KIND


@pytest.mark.parametrize("room", [*ROOMS, "tests"])
def test_no_file_is_longer_than_a_reader_bears(room):
    long = {str(path): lines for path in files(room) if (lines := len(path.read_text().splitlines())) > LINES_OF_A_FILE}
    assert long == {}


@pytest.mark.parametrize("room", [*ROOMS, "tests"])
def test_no_function_is_longer_than_a_screen(room):
    long = {str(path): found for path in files(room) if (found := list(long_functions(path.read_text())))}
    assert long == {}


def test_a_long_function_is_noticed():
    assert list(long_functions("def f():\n" + "    x = 1\n" * (LINES_OF_A_FUNCTION - 1))) == []
    assert list(long_functions("def f():\n" + "    x = 1\n" * LINES_OF_A_FUNCTION)) == [("f", LINES_OF_A_FUNCTION + 1)]


def test_a_class_has_a_name_of_its_own():
    where = defaultdict(list)
    for path in chain.from_iterable(map(files, [*ROOMS, "tests"])):
        for name in classes(path.read_text()):
            where[name].append(str(path))
    assert {name: paths for name, paths in where.items() if len(paths) > 1} == {}


def test_the_domain_of_the_backend_knows_no_web_framework():
    for layer in ("domain", "application"):
        for path in files(f"backend/{layer}"):
            names = {name.partition(".")[0] for name in imports(path.read_text())}
            assert not {"fastapi", "starlette", "uvicorn"} & names
    for path in files("backend/domain"):
        assert all("application" not in name and "presentation" not in name for name in imports(path.read_text()))


def test_no_locustfile_hides_a_module_of_the_standard_library():
    """Locust puts the folder of a locustfile first on the path."""

    names = {path.name.removesuffix(".py") for path in (PROJECT / "locustfiles").iterdir()}
    assert names & set(sys.stdlib_module_names) == set()
