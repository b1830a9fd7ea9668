"""The command that compares two runs: what it says, and what it leaves behind."""

import json
import sys

import pandas as pd
import pytest

from scenarios.formats.columns import Column
from tests.builders.comparable_reports import write
from tests.builders.processes import completed


def compare(reports, *arguments):
    return completed([sys.executable, "-m", "analysis.comparison", *arguments, "--reports", reports])


@pytest.mark.parametrize(
    ("us", "code", "sentence"),
    [(1000, 0, "Nothing changed by more than 0 %."), (1210, 1, "a got 21 % slower in steady.")],
)
def test_comparison_is_printed_written_and_exits_with_its_code(tmp_path, us, code, sentence):
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
    measured = rows[rows["what"] == "latency"].set_index(Column.HOST_TAG)
    assert measured[Column.RATIO]["a"] == pytest.approx(us / 1000)
    assert {"errors", "split a", "split b"} <= set(rows["what"])


def test_comparison_forbidden_is_said_and_not_judged(tmp_path):
    write(tmp_path, "one", 1)
    write(tmp_path, "two", 2, counts={"a": 50, "b": 100})
    ended = compare(tmp_path)
    assert (ended.returncode, ended.stderr) == (3, "")
    assert "forbids the comparison" in ended.stdout
    assert "The runs cannot be compared: requests." in ended.stdout
    (directory,) = (tmp_path / "comparisons").iterdir()
    assert {path.name for path in directory.iterdir()} == {"comparability.csv", "comparison.json"}


def test_run_cut_off_or_changed_is_refused_and_nothing_is_written(tmp_path):
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
