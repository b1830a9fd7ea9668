"""Everything that can be wrong is made wrong, for real, and the right checks have to turn."""

import json
import threading

import pytest

from scenarios.definition import Scenario
from scenarios.report_directory import ReportDirectory
from scenarios.runner import Load, run
from tests.conftest import wait_for
from tests.mutants.mutants import MUTANTS
from tests.mutants.stack import MutantStack
from tests.system.runs import analyse, only

CLAIM = "back-01=1,back-02=2,back-03=3"
OF_THE_MACHINE = ("loop lag", "p99 steady")  # how busy it is just now


@pytest.fixture
def stack(request, offset, tmp_path):
    mutant = request.param
    conf = tmp_path / "nginx.conf"
    conf.write_text(mutant.conf)
    return MutantStack(offset, conf, tmp_path / "state", mutant.faults)


@pytest.mark.parametrize(("mutant", "stack"), [(each, each) for each in MUTANTS], ids=lambda each: each.name,
                         indirect=["stack"])  # fmt: skip
def test_the_right_checks_turn(mutant, stack, reports):
    code, turned = judged(mutant, stack, reports)
    assert mutant.must.items() <= turned.items()
    assert turned.keys() - mutant.must.keys() <= set(mutant.may)
    assert code == (1 if "FAIL" in turned.values() else 3 if turned else 0)


def judged(mutant, stack, reports):
    """The exit code of the run, and the checks that did not pass."""
    helper = threading.Thread(target=interfere, args=(mutant, stack))
    helper.start()
    code = run(Scenario.load("baseline"), stack, reports, Load(mutant.requests, mutant.users, claim=CLAIM))
    helper.join()
    directory = only(reports)
    if mutant.afterwards is not None:
        mutant.afterwards(ReportDirectory(directory))
        code = analyse(directory).returncode
    checks = json.loads((directory / "verdict.json").read_text())["checks"]
    turned = {check["name"]: check["outcome"] for check in checks if check["outcome"] not in ("PASS", "UNTESTED")}
    return code, {name: outcome for name, outcome in turned.items() if name not in OF_THE_MACHINE}


def interfere(mutant, stack):
    if mutant.meanwhile is not None:
        wait_for(stack.is_up)
        wait_for(lambda: stack.logged_bytes() > 0)
        mutant.meanwhile(stack)
