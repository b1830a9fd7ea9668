"""Everything that can be wrong is made wrong, for real, and the right checks have to turn."""

import shutil
import threading
from contextlib import ExitStack

import pytest

from analysis.evidence.evidence import Evidence
from scenarios.formats.report_directory import ReportDirectory
from scenarios.run.runner import Load, drive
from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import Scenario
from scenarios.stacks.stack import PROJECT
from tests.builders.local_stacks import offset_of_its_own
from tests.builders.processes import wait_for
from tests.builders.whole_runs import judged
from tests.mutants.mutants import MUTANTS
from tests.mutants.stack import MutantStack
from tests.mutants.table import table

CLAIM = "back-01=1,back-02=2,back-03=3"
OF_THE_MACHINE = ("loop lag", "p99 steady")  # how busy it is just now
ONE_OF_EACH_KIND = (
    *("nothing is wrong", "a weight is one too high", "picks are random", "a backend answers and does not count"),
    *("the balancer is reloaded", "somebody else uses a backend", "the client drops rows"),
)


def stack_of(mutant):
    return mutant.conf, sorted(mutant.faults.items())


def marked(mutant):
    return [] if mutant.what in ONE_OF_EACH_KIND else [pytest.mark.full]


@pytest.fixture(scope="module")
def mutated(tmp_path_factory):
    """The stack of a mutant, up. It stays for the next mutant that wants the same."""
    with offset_of_its_own() as offset, ExitStack() as up:
        known = []

        def mutated(mutant):
            if known[:1] != [stack_of(mutant)]:
                up.close()
                directory = tmp_path_factory.mktemp("mutant")
                conf = directory / "nginx.conf"
                conf.write_text(mutant.conf)
                stack = MutantStack(offset, conf, directory / "state", mutant.faults)
                up.enter_context(stack.up())
                known[:] = [stack_of(mutant), stack]
            return known[1]

        yield mutated


@pytest.fixture(scope="module")
def caught():
    """The mutants that were caught by the right checks. When all are, the documents say so."""
    names = set()
    yield names
    if names == {each.name for each in MUTANTS}:
        (PROJECT / "docs" / "mutants.md").write_text(table())


@pytest.mark.parametrize(
    "mutant",
    [pytest.param(each, id=each.name, marks=marked(each)) for each in sorted(MUTANTS, key=stack_of)],
)
def test_mutant_turns_the_right_checks_and_no_others(mutant, mutated, reports, caught):
    turned = checks_turned(mutant, mutated(mutant), reports)
    assert mutant.must.items() <= turned.items()
    assert turned.items() <= (mutant.may | mutant.must).items()
    caught.add(mutant.name)


def checks_turned(mutant, stack, reports):
    """The checks that did not pass."""
    interference = threading.Thread(target=interfere, args=(mutant, stack, stack.access_log_bytes()))
    interference.start()
    scenario = Scenario.load(mutant.scenario).scaled(mutant.requests, mutant.users)
    directory = drive(scenario, stack, reports, Load(mutant.requests, mutant.users, claim=CLAIM))
    interference.join(60)
    assert not interference.is_alive()
    if mutant.afterwards is not None:
        mutant.afterwards(directory)
    turned = {name: check["outcome"] for name, check in judged(directory.path).items()}
    left_out = ("PASS", "UNTESTED")
    return {name: outcome for name, outcome in turned.items() if outcome not in left_out and name not in OF_THE_MACHINE}


def interfere(mutant, stack, logged_before):
    if mutant.meanwhile is not None:
        wait_for(lambda: stack.access_log_bytes() > logged_before)
        mutant.meanwhile(stack)


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


@pytest.fixture(scope="module")
def unchanged(mutated, tmp_path_factory):
    """A run in which nothing was wrong, as it was left."""
    scenario, load = Scenario.load("baseline"), Load(600, 60)
    return drive(scenario.scaled(600, 60), mutated(MUTANTS[0]), tmp_path_factory.mktemp("reports"), load).path


@pytest.mark.parametrize("name", TAMPERED)
def test_report_changed_after_the_run_is_refused(unchanged, tmp_path, name):
    shutil.copytree(unchanged, tmp_path / "run")
    TAMPERED[name](ReportDirectory(tmp_path / "run"))
    with pytest.raises(UsageError, match=f"{name}: is not what the run wrote"):
        Evidence.read(tmp_path / "run")
