"""No test waits for ever: processes are those of tests/builders/processes.py, and every wait has a limit."""

import ast

import pytest

from scenarios.stacks.stack import PROJECT

STARTS, WAITS = {"run", "Popen", "call", "check_call", "check_output"}, {"wait", "communicate", "join"}
STARTED = PROJECT / "tests" / "builders" / "processes.py"


def without_limit(source):
    """The lines that start a process by themselves, or wait for one without a limit."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        name, of = node.func.attr, node.func.value
        if name in STARTS and isinstance(of, ast.Name) and of.id == "subprocess":
            limited = name == "run" and any(word.arg == "timeout" for word in node.keywords)
        else:
            limited = name not in WAITS or node.args or node.keywords
        if not limited:
            yield node.lineno


@pytest.mark.parametrize("folder", sorted(path.name for path in (PROJECT / "tests").iterdir() if path.is_dir()))
def test_waits_in_tests_have_a_limit(folder):
    paths = [path for path in (PROJECT / "tests" / folder).rglob("*.py") if path != STARTED]
    found = {str(path): lines for path in paths if (lines := list(without_limit(path.read_text())))}
    assert found == {}


@pytest.mark.parametrize(
    "source", ["subprocess.Popen(['x'])", "subprocess.run(['x'])", "process.wait()", "run.communicate()"]
)
def test_wait_without_limit_is_noticed(source):
    assert list(without_limit(source)) == [1]
