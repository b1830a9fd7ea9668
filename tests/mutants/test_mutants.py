"""Everything that can be wrong is made wrong, for real, and the right checks have to turn."""

import json
import shutil
import threading

import pytest

from scenarios.definition import Scenario
from scenarios.report_directory import ReportDirectory
from scenarios.runner import Load, run
from tests.conftest import PROJECT, scenarios, wait_for
from tests.mutants.mutants import MUTANTS
from tests.mutants.stack import MutantStack
from tests.mutants.table import table
from tests.system.runs import SMALL, analyse, only

CLAIM = "back-01=1,back-02=2,back-03=3"
OF_THE_MACHINE = ("loop lag", "p99 steady")  # how busy it is just now


@pytest.fixture(params=MUTANTS, ids=lambda each: each.name)
def mutant(request):
    return request.param


@pytest.fixture
def mutated(mutant, offset, tmp_path):
    """The stack with this fault in it."""
    conf = tmp_path / "nginx.conf"
    conf.write_text(mutant.conf)
    return MutantStack(offset, conf, tmp_path / "state", mutant.faults)


@pytest.fixture(scope="module")
def caught():
    """The mutants that were caught by the right checks. When all are, the documents say so."""
    names = set()
    yield names
    if names == {each.name for each in MUTANTS}:
        (PROJECT / "docs" / "mutants.md").write_text(table())


def test_the_right_checks_turn_and_no_others(mutant, mutated, reports, caught):
    turned = judged(mutant, mutated, reports)
    assert mutant.must.items() <= turned.items()
    assert turned.items() <= (mutant.may | mutant.must).items()
    caught.add(mutant.name)


def remove_row(directory):
    lines = directory.responses_path.read_text().splitlines(keepends=True)
    directory.responses_path.write_text("".join(lines[:-1]))


def edit_count(directory):
    *rows, last = directory.backends_path.read_text().splitlines()
    *others, created, rejected = last.split(",")
    directory.backends_path.write_text("\n".join([*rows, ",".join([*others, f"{int(created) + 1}", rejected])]) + "\n")


def edit_log(directory):
    text = directory.balancer_path.read_text()
    directory.balancer_path.write_text(text.replace("back-01", "back-03", 1))


TAMPERED = {"responses.csv": remove_row, "backends.csv": edit_count, "balancer.csv": edit_log}


def test_a_report_that_was_changed_after_the_run_is_refused(offset, reports, tmp_path):
    assert scenarios("run", "baseline", *SMALL, "--reports", reports, offset=offset).returncode in (0, 3)
    for name, tamper in TAMPERED.items():
        directory = tmp_path / name
        shutil.copytree(only(reports), directory)
        tamper(ReportDirectory(directory))
        ended = analyse(directory)
        assert ended.returncode == 2
        assert f"{name}: is not what the run wrote" in ended.stderr


def judged(mutant, stack, reports):
    """The checks that did not pass, which the exit code has to tell."""
    helper = threading.Thread(target=interfere, args=(mutant, stack))
    helper.start()
    code = run(Scenario.load(mutant.scenario), stack, reports, Load(mutant.requests, mutant.users, claim=CLAIM))
    helper.join()
    directory = only(reports, mutant.scenario)
    if mutant.afterwards is not None:
        mutant.afterwards(ReportDirectory(directory))
        code = analyse(directory).returncode
    checks = json.loads((directory / "verdict.json").read_text())["checks"]
    turned = {check["name"]: check["outcome"] for check in checks if check["outcome"] not in ("PASS", "UNTESTED")}
    assert code == (1 if "FAIL" in turned.values() else 3 if turned else 0)
    return {name: outcome for name, outcome in turned.items() if name not in OF_THE_MACHINE}


def interfere(mutant, stack):
    if mutant.meanwhile is not None:
        wait_for(stack.is_up)
        wait_for(lambda: stack.logged_bytes() > 0)
        mutant.meanwhile(stack)
