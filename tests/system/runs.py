"""Whole runs, started as a person starts them, and what they leave behind."""

import json
import signal
import subprocess
import sys

import pandas as pd

from analysis.evidence import Evidence
from analysis.tables import Tables
from analysis.verdict import judge
from tests.conftest import PROJECT, wait_for

SMALL = ("--requests", 600, "--users", 60)


def only(reports, scenario="baseline"):
    """The one report directory of a scenario."""
    (directory,) = (path for path in (reports / scenario).iterdir() if path.name != "latest")
    return directory


def rows(directory):
    return pd.read_csv(directory / "responses.csv", keep_default_na=False)


def manifest(directory):
    return json.loads((directory / "manifest.json").read_text())


def answered(reports):
    """Bytes of the client's ledger so far: above zero once the run is well under way."""
    return sum(path.stat().st_size for path in reports.glob("*/*/responses.csv"))


def begun(name, reports, *, offset, stack="local"):
    """A run that has just been started, as a person would start it."""
    return command("run", name, "--reports", str(reports), offset=offset, stack=stack)


def command(*arguments, offset, stack="local"):
    """A command that has just been given."""
    return subprocess.Popen(
        [sys.executable, "-m", "scenarios", "--stack", stack, "--port-offset", str(offset), *arguments],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def interrupted_when_struck(name, reports, **where):
    """A run with faults that gets Ctrl-C as soon as the first of them was brought about."""

    def is_struck():
        return any(path.read_text().count("\n") > 1 for path in reports.glob("*/*/faults.csv"))

    return interrupted_when(is_struck, begun(name, reports, **where))


def interrupted_when(condition, run):
    """This run, which gets Ctrl-C as soon as the condition holds, at its end."""
    try:
        wait_for(condition, 120.0)
    finally:
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=90)
    return subprocess.CompletedProcess(run.args, run.returncode, *said)


def locust(stack, directory, *arguments, file="baseline", **options):
    """Plain Locust, without the runner."""
    command = [sys.executable, "-m", "locust", "-f", f"locustfiles/{file}.py", "--host", stack.target]
    return subprocess.run(
        [*command, "--headless", "--only-summary", "--report-directory", str(directory), *map(str, arguments)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


def checks(directory):
    """The checks of a run that was judged, by name."""
    return {check["name"]: check for check in json.loads((directory / "verdict.json").read_text())["checks"]}


def broken(directory):
    """The checks that did not pass, but for those of how busy this machine was."""
    outcomes = {name: check["outcome"] for name, check in checks(directory).items()}
    found = {name: outcome for name, outcome in outcomes.items() if outcome not in ("PASS", "UNTESTED")}
    return {name: outcome for name, outcome in found.items() if name != "loop lag" and "rendezvous" not in name}


def judged(directory):
    """The checks of a run, by name, worked out here and now: what the command does, but for its tables and pictures."""
    evidence = Evidence.read(directory)
    return {check.name: check.model_dump(mode="json") for check in judge(evidence, Tables.of(evidence)).checks}


def analyse(directory):
    command = [sys.executable, "-m", "analysis", str(directory)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
