"""Whole runs, started as a person starts them, and what they leave behind."""

import json
import subprocess
import sys

import pandas as pd

from tests.conftest import PROJECT

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


def broken(directory):
    """The checks that did not pass, but for those of how busy this machine was."""
    checks = json.loads((directory / "verdict.json").read_text())["checks"]
    found = {check["name"]: check["outcome"] for check in checks if check["outcome"] not in ("PASS", "UNTESTED")}
    return {name: outcome for name, outcome in found.items() if name != "loop lag" and "rendezvous" not in name}


def analyse(directory):
    command = [sys.executable, "-m", "analysis", str(directory)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
