"""The project's commands, given as a person would give them, each with a deadline."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.builders.processes import completed, running, wait_for

PIPED = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


def words_of_scenarios(*arguments, offset=0, stack="local"):
    return [sys.executable, "-m", "scenarios", "--stack", stack, "--port-offset", offset, *arguments]


def words_of_locust(target, *arguments, file="locustfiles/baseline.py"):
    return [sys.executable, "-m", "locust", "-f", file, "--host", target, *arguments]


def scenarios(*arguments, offset=0, stack="local", within_s=120.0, **options):
    """What came of a command line."""
    return completed(words_of_scenarios(*arguments, offset=offset, stack=stack), within_s, **options)


def scenarios_begun(*arguments, offset, stack="local", **options):
    """A command line that goes on, for the body."""
    return running(words_of_scenarios(*arguments, offset=offset, stack=stack), **PIPED | options)


def locust(stack, directory, *arguments, file="baseline", **options):
    """What came of plain Locust, without the runner; `file` is a path, or the name of a locustfile of the project."""
    where = ("--headless", "--only-summary", "--report-directory", directory)
    path = file if isinstance(file, Path) else f"locustfiles/{file}.py"
    words = words_of_locust(stack.target, *where, *arguments, file=path)
    return completed(words, 120.0, **options)


def analyse(directory):
    return completed([sys.executable, "-m", "analysis", directory])


def run_interrupted_when_struck(name, reports, **where):
    """A run with faults that gets Ctrl-C as soon as the first of them was brought about, at its end."""

    def is_struck():
        return any(path.read_text().count("\n") > 1 for path in reports.glob("*/*/faults.csv"))

    return interrupted_when(is_struck, "run", name, "--reports", reports, **where)


def interrupted_when(condition, *arguments, **where):
    """A command line that gets Ctrl-C as soon as the condition holds, at its end."""
    with scenarios_begun(*arguments, **where) as process:
        wait_for(lambda: condition() or process.poll() is not None, 120.0)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=90)
    return subprocess.CompletedProcess(process.args, process.returncode, *said)
