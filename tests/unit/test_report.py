"""Report directories on disk: sound, cut off, damaged, and in every odd state that still deserves a report."""

import errno
import json
import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from analysis.made_run import make_run
from analysis.report import report
from analysis.verdict import Outcome
from scenarios.errors import UsageError
from scenarios.report_directory import ReportDirectory
from tests.conftest import PROJECT
from tests.unit import evidence
from tests.unit.evidence import response, responses

WEIGHTS = {"a": 1, "b": 2, "c": 3}
TABLES = (
    *("distribution.csv", "latency.csv", "percentiles.csv", "timeline.csv", "stages.csv", "totals.csv"),
    *("processes.csv", "overhead.csv"),
)
DOCUMENTS = ("verdict.json", "junit.xml", "report.md", "report.html")
EXACT = {"a": 167, "b": 333, "c": 500}


@pytest.fixture
def directory(tmp_path):
    return ReportDirectory.new(tmp_path, "made")


def write(directory, rows, **options):
    evidence.write(directory, rows, WEIGHTS, **options)


def test_a_sound_directory_gives_tables_pictures_and_a_verdict(directory):
    write(directory, responses(EXACT))
    assert report(directory.path).outcome is Outcome.PASS
    assert {path.name for path in directory.path.iterdir()} == {
        "manifest.json",
        "responses.csv",
        "generator.csv",
        *TABLES,
        "distribution.png",
        "generator.png",
        "latency.png",
        "latency_over_time.png",
        "summary.png",
        "throughput.png",
        *DOCUMENTS,
    }
    document = json.loads((directory.path / "verdict.json").read_text())
    assert document["outcome"] == "PASS"
    assert {"name", "claim", "expected", "observed", "outcome", "evidence", "meaning"} == document["checks"][0].keys()


def test_analysing_twice_gives_the_same_tables_and_documents(directory):
    write(directory, responses(EXACT))
    report(directory.path)
    first = [(directory.path / name).read_bytes() for name in (*TABLES, *DOCUMENTS)]
    report(directory.path)
    assert [(directory.path / name).read_bytes() for name in (*TABLES, *DOCUMENTS)] == first


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [response(0, "a")],
        [response(number, status=0, error="refused") for number in range(5)],
        responses({"a": 10, "c": 30}),
        responses({f"back-{number:02}": 5 for number in range(12)}),
    ],
    ids=["empty", "single", "all failed", "one silent", "a dozen strangers"],
)
def test_odd_runs_still_get_a_report(directory, rows):
    write(directory, rows)
    assert report(directory.path).outcome is not Outcome.PASS or len(rows) == 1
    assert (directory.path / "distribution.png").stat().st_size > 0


def test_latest_points_at_the_newest_complete_run(directory, tmp_path):
    write(directory, responses(EXACT))
    aborted = ReportDirectory.new(tmp_path, "made")
    write(aborted, responses(EXACT), complete=False)
    assert (tmp_path / "made" / "latest").resolve() == directory.path
    newest = ReportDirectory.new(tmp_path, "made")
    write(newest, responses(EXACT))
    assert (tmp_path / "made" / "latest").resolve() == newest.path
    assert len({directory.path, aborted.path, newest.path}) == 3


def damage_nothing_there(directory):
    directory.manifest_path.unlink()


def damage_no_end(directory):
    document = json.loads(directory.manifest_path.read_text())
    directory.manifest_path.write_text(json.dumps(document | {"end": None}))


def damage_manifest(directory):
    directory.manifest_path.write_text(directory.manifest_path.read_text()[:100])


def damage_manifest_key(directory):
    document = json.loads(directory.manifest_path.read_text())
    del document["claim"]["weights"]
    directory.manifest_path.write_text(json.dumps(document))


def damage_ledger_cut(directory):
    directory.responses_path.write_bytes(directory.responses_path.read_bytes()[:-10])


def damage_no_voucher(directory):
    document = json.loads(directory.manifest_path.read_text())
    document["end"]["ledgers"] = {}
    directory.manifest_path.write_text(json.dumps(document))


def damage_weights(directory):
    document = json.loads(directory.manifest_path.read_text())
    document["claim"]["weights"]["a"] = 0
    directory.manifest_path.write_text(json.dumps(document))


def damage_ledger_edited(directory):
    directory.responses_path.write_bytes(directory.responses_path.read_bytes().replace(b",a,", b",c,", 1))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (damage_nothing_there, "is no report directory: manifest.json: No such file or directory"),
        (damage_no_end, "the run was cut off before its end mark was set"),
        (damage_manifest, "manifest.json: is damaged: the document: Invalid JSON"),
        (damage_manifest_key, "manifest.json: is damaged: claim.weights: Field required"),
        (damage_no_voucher, "responses.csv: the manifest does not vouch for it"),
        (damage_weights, "manifest.json: is damaged: claim.weights.a: Input should be greater than or equal to 1"),
        (damage_ledger_cut, "responses.csv: is not what the run wrote"),
        (damage_ledger_edited, "responses.csv: is not what the run wrote"),
    ],
)
def test_damaged_evidence_is_refused_by_name(directory, damage, sentence):
    write(directory, responses(EXACT))
    damage(directory)
    with pytest.raises(UsageError) as refusal:
        report(directory.path)
    assert sentence in str(refusal.value)


def test_a_ledger_that_is_no_table_is_refused_by_name(directory):
    write(directory, [response(0, "a"), ("one field, and", *"too many others")])
    with pytest.raises(UsageError, match=r"responses\.csv: is damaged"):
        report(directory.path)


def test_latest_is_set_only_beside_reports_of_the_scenario_and_never_over_a_file(tmp_path):
    elsewhere = ReportDirectory(tmp_path / "elsewhere")
    elsewhere.path.mkdir()
    write(elsewhere, responses(EXACT))
    assert not (tmp_path / "latest").exists()
    mine = tmp_path / "made" / "latest"
    mine.parent.mkdir()
    mine.write_text("mine")
    write(ReportDirectory.new(tmp_path, "made"), responses(EXACT))
    assert mine.read_text() == "mine"


def analyse(path):
    return subprocess.run(
        [sys.executable, "-m", "analysis", str(path)], cwd=PROJECT, capture_output=True, text=True, check=False
    )


def test_the_command_prints_the_verdict_and_exits_with_its_code(directory):
    write(directory, responses(EXACT))
    ended = analyse(directory.path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "split a" in ended.stdout
    *_, verdict, hint = ended.stdout.splitlines()
    assert verdict == f"made: PASS   {directory.path}"
    assert hint == f"To read it: {directory.path}/report.html"


def test_the_command_fails_when_the_claim_does(directory):
    write(directory, responses({"a": 500, "b": 333, "c": 167}))
    ended = analyse(directory.path)
    assert ended.returncode == 1
    assert "made: FAIL" in ended.stdout


def test_a_reader_that_leaves_does_not_change_the_exit_code(directory):
    write(directory, responses(EXACT))
    with subprocess.Popen(
        [sys.executable, "-m", "analysis", str(directory.path)], cwd=PROJECT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(30) == 0


def test_the_command_refuses_in_one_sentence(tmp_path):
    ended = analyse(tmp_path / "nowhere")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("analysis: ")
    assert ended.stderr.count("\n") == 1


KEPT = ("responses.csv", "generator.csv", "stack.json", "resources.csv", "balancer.csv", "backends.csv")


OF_ALL_THREE = ("foreign traffic", "refused", "processed twice", "lost in flight", "clocks", "ledgers back-01")
RESTING = {
    "responses.csv": (*OF_ALL_THREE, "own faults", "errors", "split back-01", "p99 steady"),
    "balancer.csv": (*OF_ALL_THREE, "split back-01", "running split back-01"),
    "backends.csv": OF_ALL_THREE[1:4],
    "stack.json": ("split back-01", "services"),
}


@pytest.fixture(scope="module")
def witnessed(tmp_path_factory):
    """A run on a stack, as it left its ledgers."""
    path = tmp_path_factory.mktemp("reports") / "run"
    make_run(path, 600)
    return path


@pytest.mark.parametrize("lost", [*((name,) for name in KEPT), KEPT], ids=[*KEPT, "all of them"])
def test_a_report_whose_ledgers_were_lost_says_so_and_blames_nobody(witnessed, tmp_path, lost):
    shutil.copytree(witnessed, tmp_path / "run")
    for name in lost:
        (tmp_path / "run" / name).unlink()
    verdict = report(tmp_path / "run")
    assert verdict.outcome is Outcome.INVALID
    assert verdict.checks[0].name == "evidence"
    assert all(name in verdict.checks[0].observed for name in lost)
    assert not [check.name for check in verdict.checks if check.outcome is Outcome.FAIL]
    passed = {check.name: check.evidence for check in verdict.checks if check.outcome is Outcome.PASS}
    assert not set(lost).intersection(passed.values())
    assert set(passed).isdisjoint(RESTING.get(lost[0], ()))
    assert verdict.checks[0].observed in (tmp_path / "run" / "report.html").read_text()


def test_names_that_no_file_should_have_to_bear_are_reported_as_they_are(directory):
    names = ["<script>alert(1)</script>", 'a,b "c"', "x" * 60]
    rows = [response(number, names[number % 3], stage="steady") for number in range(600)]
    evidence.write(directory, rows, dict.fromkeys(names, 1))
    assert report(directory.path).outcome is Outcome.PASS
    table = pd.read_csv(directory.path / "distribution.csv")
    assert sorted(table["host_tag"]) == sorted(names)


def test_what_nobody_vouches_for_is_not_read(directory):
    write(directory, responses(EXACT))
    (directory.path / "balancer.csv").write_text("somebody else's")
    assert report(directory.path).outcome is Outcome.PASS
    assert not (directory.path / "parts.csv").exists()


def test_what_an_earlier_analysis_said_does_not_outlive_its_ledger(witnessed, tmp_path):
    shutil.copytree(witnessed, tmp_path / "run")
    report(tmp_path / "run")
    assert (tmp_path / "run" / "running.png").exists()
    (tmp_path / "run" / "stack.json").unlink()
    report(tmp_path / "run")
    assert not {"running.png", "running.csv", "ledgers.png"} & {path.name for path in (tmp_path / "run").iterdir()}


def test_a_report_that_cannot_be_written_names_the_file_and_leaves_no_draft(directory, monkeypatch):
    write(directory, responses(EXACT))
    report(directory.path)

    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(pd.DataFrame, "to_csv", full)
        with pytest.raises(UsageError, match=r"distribution\.csv: No space left on device"):
            report(directory.path)
    left = {path.name for path in directory.path.iterdir()}
    assert "verdict.json" not in left
    assert not [name for name in left if name.startswith(".")]
