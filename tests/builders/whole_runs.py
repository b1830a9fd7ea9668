"""What whole runs leave behind, and what is read from it."""

import json

import pandas as pd

from analysis.checks.generator import LATENESS, RENDEZVOUS
from analysis.evidence.evidence import Evidence
from analysis.tables import Tables
from analysis.verdict import judge

OF_THE_MACHINE = {LATENESS.title, RENDEZVOUS.title}
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


def checks(directory):
    """The checks of a run that was judged, by name."""
    return {check["name"]: check for check in json.loads((directory / "verdict.json").read_text())["checks"]}


def broken(directory):
    """The checks that did not pass, but for those of how busy this machine was."""
    return {
        name: check["outcome"]
        for name, check in checks(directory).items()
        if check["outcome"] not in ("PASS", "UNTESTED") and check["kind"] not in OF_THE_MACHINE
    }


def judged(directory):
    """The checks of a run, by name, worked out here and now: what the command does, but for its tables and pictures."""
    evidence = Evidence.read(directory)
    return {check.name: check.model_dump(mode="json") for check in judge(evidence, Tables.of(evidence)).checks}
