"""Which two runs are meant, and whether they can be compared."""

import pytest

from analysis.comparison.comparability import conditions, forbidding
from analysis.comparison.comparison import Comparison
from analysis.comparison.run import ComparedRun
from analysis.comparison.selection import chosen
from analysis.tables import Tables
from analysis.verdict import judge
from scenarios.formats.stack_record import Limits
from scenarios.spec.errors import UsageError
from tests.builders.comparable_reports import EXACT, WEIGHTS, write
from tests.builders.evidence import asked_at, evidence, responses, stack, three_ledgers


def a_run(**manifested):
    made = three_ledgers(responses(EXACT), WEIGHTS)
    return run_of(made, made.manifest.model_copy(update=manifested))


def run_of(made, manifest):
    made = type(made)(**{**vars(made), "manifest": manifest})
    tables = Tables.of(made)
    return ComparedRun("made/one", made, tables, judge(made, tables))


def with_stack(record):
    return ComparedRun(
        "made/one",
        made := three_ledgers(responses(EXACT), WEIGHTS, standing=record),
        t := Tables.of(made),
        judge(made, t),
    )


def weights_of(a, b):
    return {condition.what: str(condition.weight) for condition in conditions(a, b) if condition.weight != "same"}


def test_the_same_twice_differs_in_nothing():
    assert weights_of(a_run(), a_run()) == {}


def host(**changes):
    return {"host": a_run().evidence.manifest.host.model_copy(update=changes)}


def made_of(**changes):
    return {"scenario": a_run().evidence.manifest.scenario.model_copy(update=changes)}


def stage_of(**changes):
    (stage,) = a_run().evidence.manifest.scenario.stages
    return made_of(stages=(stage.model_copy(update=changes),))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        (made_of(name="other"), "scenario"),
        (stage_of(users=2, spawn_rate=2.0), "stage steady"),
        (
            made_of(expect=a_run().evidence.manifest.scenario.expect.model_copy(update={"p99_ms": {"steady": 5}})),
            "p99 allowed in steady",
        ),
        (host(cpus=4), "CPUs"),
        (host(memory_bytes=2**31), "memory"),
        (host(system="other"), "system"),
        ({"stack": "compose"}, "stack"),
        ({"processes": 2}, "client processes"),
        ({"client": "other"}, "client"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_another_size_stack_or_host_forbids_the_comparison_and_nothing_is_judged(changes, what):
    found = Comparison.of(a_run(), a_run(**changes))
    assert what in [condition.what for condition in forbidding(found.conditions)]
    assert (found.exit_code, found.latency, found.claims) == (3, None, [])
    assert found.sentence.startswith("The runs cannot be compared: ")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"git_commit": "other"}, "git commit"),
        ({"versions": {"python": "3.99"}}, "python"),
        (asked_at(a_run().evidence.manifest.scenario, "http://127.0.0.1:2"), "target"),
        (host(open_files_limit=2), "open files"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_another_commit_or_version_is_said_and_compared(changes, what):
    found = Comparison.of(a_run(), a_run(**changes))
    assert weights_of(a_run(), a_run(**changes)) == {what: "keep in mind"}
    assert found.exit_code == 0


def test_other_limits_forbid_the_comparison_and_another_nginx_does_not():
    limited = stack().model_copy(update={"services": {"a": Limits(cpus=1.0)}})
    other = stack().model_copy(update={"services": {"a": Limits(cpus=2.0)}})
    newer = stack().model_copy(update={"services": {"a": Limits(cpus=1.0)}, "versions": {"nginx": "9"}})
    assert weights_of(with_stack(limited), with_stack(other)) == {"limits of a": "forbids the comparison"}
    assert weights_of(with_stack(limited), with_stack(newer)) == {"nginx of the stack": "keep in mind"}


def test_other_weights_forbid_the_comparison():
    other = evidence(responses(EXACT), {"a": 2, "b": 1})
    found = weights_of(a_run(), run_of(other, other.manifest))
    assert found["weights"] == "forbids the comparison"


def test_a_run_that_was_stopped_or_is_invalid_is_not_compared_not_even_with_itself():
    end = a_run().evidence.manifest.end.model_copy(update={"complete": False, "reason": "stopped"})
    stopped = a_run(end=end)
    assert weights_of(stopped, stopped)["complete"] == "forbids the comparison"
    assert weights_of(stopped, stopped)["verdict"] == "forbids the comparison"


# which two runs


def test_the_newest_run_is_compared_with_the_one_of_its_scenario_before_it(tmp_path):
    first = write(tmp_path, "z", 1)
    second = write(tmp_path, "y", 2)
    third = write(tmp_path, "x", 3)
    other = write(tmp_path, "a", 2.5, scenario_name="other")
    last = write(tmp_path, "b", 0.5, scenario_name="other")
    write(tmp_path, "stopped", 4, complete=False)
    (tmp_path / "made" / "torn").mkdir()
    (tmp_path / "made" / "torn" / "manifest.json").write_text("{")
    assert chosen(tmp_path, None, None, None) == (second, third)
    assert chosen(tmp_path, None, None, "other") == (last, other)
    assert chosen(tmp_path, None, second, None) == (first, second)
    assert chosen(tmp_path, first, None, None) == (first, third)
    assert chosen(tmp_path, third, first, None) == (third, first)


def test_what_cannot_be_chosen_is_refused_in_one_sentence(tmp_path):
    def refused(*arguments):
        with pytest.raises(UsageError) as refusal:
            chosen(tmp_path, *arguments)
        return str(refusal.value).removeprefix(f"{tmp_path}")

    assert refused(None, None, None) == ": there is no complete run: two are compared, so run a scenario twice"
    only = write(tmp_path, "only", 1)
    assert refused(None, None, None) == "/made/only: there is no complete run of made before it: name one, A=…"
    assert refused(only, None, None) == "/made/only: there is no complete run of made after it: name one, B=…"
    assert "there is no complete run of spike" in refused(None, None, "spike")
    assert refused(only, tmp_path / "made" / "latest", None).endswith("are the same run: name two")
    assert "is no report directory" in refused(tmp_path, only, None)
