"""Which two runs are meant, whether they can be compared, and what the command says and leaves behind."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from analysis.comparison.comparability import conditions, forbidding
from analysis.comparison.comparison import Comparison
from analysis.comparison.run import Run
from analysis.comparison.selection import chosen
from analysis.tables import Tables
from analysis.verdict import judge
from scenarios.errors import UsageError
from scenarios.ledgers import Pulse, Response
from scenarios.report_directory import ReportDirectory
from scenarios.stack_record import Limits
from tests.conftest import PROJECT
from tests.unit.evidence import evidence, manifest, pulse, responses, scenario, stack, three_ledgers

EXACT = {"a": 100, "b": 200}
WEIGHTS = {"a": 1, "b": 2}
START = datetime(2026, 1, 1, tzinfo=UTC)


def a_run(**manifested):
    made = three_ledgers(responses(EXACT), WEIGHTS)
    return run_of(made, made.manifest.model_copy(update=manifested))


def run_of(made, manifest):
    made = type(made)(**{**vars(made), "manifest": manifest})
    tables = Tables.of(made)
    return Run("made/one", made, tables, judge(made, tables))


def with_stack(record):
    return Run(
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
        ({"target": "http://127.0.0.1:2"}, "target"),
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


def write(reports, name, at, *, scenario_name="made", complete=True, counts=EXACT, us=1000):
    directory = ReportDirectory(reports / scenario_name / name)
    directory.path.mkdir(parents=True)
    described = scenario(sum(counts.values())).model_copy(update={"name": scenario_name})
    description = manifest(described, WEIGHTS).model_copy(
        update={"end": None, "started_at": START + timedelta(minutes=at)}
    )
    directory.begin(description)
    rows = [row._replace(latency_us=us if row.host_tag == "a" else 1000) for row in responses(counts)]
    for path, row, lines in ((directory.responses_path, Response, rows), (directory.generator_path, Pulse, [pulse()])):
        path.write_text("\n".join(",".join(map(str, line)) for line in [row._fields, *lines]) + "\n", encoding="utf-8")
    directory.end(description, complete=complete, reason="done")
    return directory.path


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


def compare(reports, *arguments):
    command = [sys.executable, "-m", "analysis.comparison", *map(str, arguments), "--reports", str(reports)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("us", "code", "sentence"),
    [(1000, 0, "Nothing changed by more than 0 %."), (1210, 1, "a got 21 % slower in steady.")],
)
def test_the_command_says_it_writes_it_and_exits_with_its_code(tmp_path, us, code, sentence):
    write(tmp_path, "one", 1)
    write(tmp_path, "two", 2, us=us)
    ended = compare(tmp_path)
    assert (ended.returncode, ended.stderr) == (code, "")
    assert sentence in ended.stdout
    (directory,) = (tmp_path / "comparisons").iterdir()
    assert {path.name for path in directory.iterdir()} == {
        "comparability.csv",
        "comparison.csv",
        "comparison.json",
        "comparison.png",
        "effort.csv",
    }
    document = json.loads((directory / "comparison.json").read_text())
    assert (document["sentence"] + ".", document["exit_code"]) == (sentence, code)
    assert (document["a"], document["b"]) == ("made/one", "made/two")
    rows = pd.read_csv(directory / "comparison.csv")
    measured = rows[rows["what"] == "latency"].set_index("host_tag")
    assert measured["ratio"]["a"] == pytest.approx(us / 1000)
    assert {"errors", "split a", "split b"} <= set(rows["what"])


def test_the_command_prints_what_forbids_and_judges_nothing(tmp_path):
    write(tmp_path, "one", 1)
    write(tmp_path, "two", 2, counts={"a": 50, "b": 100})
    ended = compare(tmp_path)
    assert (ended.returncode, ended.stderr) == (3, "")
    assert "forbids the comparison" in ended.stdout
    assert "The runs cannot be compared: requests." in ended.stdout
    (directory,) = (tmp_path / "comparisons").iterdir()
    assert {path.name for path in directory.iterdir()} == {"comparability.csv", "comparison.json"}


def test_a_run_that_was_cut_off_or_changed_is_refused_and_nothing_is_written(tmp_path):
    one, two = write(tmp_path, "one", 1), write(tmp_path, "two", 2)
    (one / "responses.csv").write_text("changed")
    ended = compare(tmp_path, one, two)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "responses.csv: is not what the run wrote" in ended.stderr
    document = json.loads((two / "manifest.json").read_text())
    (two / "manifest.json").write_text(json.dumps(document | {"end": None}))
    assert "the run was cut off" in compare(tmp_path, two, one).stderr
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "comparisons").exists()
