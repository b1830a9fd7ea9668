"""The real stack twice with the same code, and with one backend that takes a fifth longer."""

import json
import sys

import pytest

from scenarios.run.runner import Load, run
from scenarios.spec.scenario import Scenario
from tests.builders.processes import completed
from tests.mutants.mutants import CONF, TAGS
from tests.mutants.stack import MutantStack

BUSY = dict.fromkeys(TAGS, "busy")  # the backends' own time is what is measured, and hardly the machine's
LOAD = Load(requests=2400, users=24)


@pytest.fixture
def driven(offset, tmp_path, reports):
    """Drive a stack with these faults."""

    def drive(faults):
        state = tmp_path / f"state-{len(list(tmp_path.iterdir()))}"
        run(Scenario.load("baseline"), MutantStack(offset, CONF, state, faults), reports, LOAD)
        return (reports / "baseline" / "latest").resolve()

    return drive


def compare(reports, *arguments):
    return completed([sys.executable, "-m", "analysis.comparison", *arguments, "--reports", reports])


def newest(reports):
    return json.loads((max((reports / "comparisons").iterdir()) / "comparison.json").read_text())


def worse(found):
    return [row["host_tag"] for row in found["latency"] if row["outcome"] == "worse"]


@pytest.mark.full
@pytest.mark.alone
def test_same_code_twice_is_no_regression_and_slower_backend_is_named(driven, reports):
    first, _ = driven(BUSY), driven(BUSY)
    same = compare(reports)
    assert (same.returncode, same.stderr) == (0, "")
    assert {condition["what"] for condition in newest(reports)["comparability"] if condition["weight"] != "same"} <= {
        "configuration"  # it names the files of its stack
    }
    blamed = []
    for tag in (TAGS[0], TAGS[2]):
        slowed = driven(BUSY | {tag: "busier"})
        ended = compare(reports, first, slowed)
        blamed.append(worse(newest(reports)))
        assert blamed[-1] in ([], [tag])  # and no other
        assert ended.returncode == bool(blamed[-1])
    assert any(blamed)  # a busy machine can hide one
