"""Report directories that were cut off, damaged, or lost a ledger."""

import json
import shutil

import pytest

from analysis.report import report
from analysis.tools.synthetic_run import make_synthetic_run
from analysis.verdict import Outcome
from scenarios.formats.report_directory import ReportDirectory
from scenarios.spec.errors import UsageError
from tests.builders.evidence import response, responses
from tests.builders.made_reports import EXACT, write


@pytest.fixture
def directory(tmp_path):
    return ReportDirectory.new(tmp_path, "made")


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


def damage_format(directory):
    document = json.loads(directory.manifest_path.read_text())
    directory.manifest_path.write_text(json.dumps(document | {"format": document["format"] - 1}))


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
        (damage_format, "was written by an older version: run the scenario again"),
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


def test_ledger_not_a_table_is_refused_by_name(directory):
    write(directory, [response(0, "a"), ("one field, and", *"too many others")])
    with pytest.raises(UsageError, match=r"responses\.csv: is damaged"):
        report(directory.path)


KEPT = ("responses.csv", "generator.csv", "stack.json", "resources.csv", "balancer.csv", "backends.csv")
OF_ALL_THREE = ("foreign traffic", "refused", "processed twice", "lost in flight", "clocks", "ledgers back-01")
RESTING = {
    "responses.csv": (*OF_ALL_THREE, "own faults", "errors", "split back-01", "p99 steady"),
    "balancer.csv": (*OF_ALL_THREE, "split back-01", "running split back-01"),
    "backends.csv": OF_ALL_THREE[1:4],
    "stack.json": ("split back-01", "services"),
}


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """A run on a stack, as it left its ledgers."""
    path = tmp_path_factory.mktemp("reports") / "run"
    make_synthetic_run(path, 600)
    return path


@pytest.mark.parametrize(
    "lost",
    [
        *(pytest.param((name,), marks=[] if name == "responses.csv" else pytest.mark.full, id=name) for name in KEPT),
        pytest.param(KEPT, id="all of them"),
    ],
)
def test_report_with_lost_ledgers_says_so_and_fails_no_check(observed, tmp_path, lost):
    shutil.copytree(observed, tmp_path / "run")
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


def test_ledger_without_voucher_is_not_read(directory):
    write(directory, responses(EXACT))
    (directory.path / "balancer.csv").write_text("of another run")
    assert report(directory.path).outcome is Outcome.PASS
    assert not (directory.path / "parts.csv").exists()


def test_document_of_earlier_analysis_goes_with_its_ledger(observed, tmp_path):
    shutil.copytree(observed, tmp_path / "run")
    report(tmp_path / "run")
    assert (tmp_path / "run" / "running.png").exists()
    (tmp_path / "run" / "stack.json").unlink()
    report(tmp_path / "run")
    assert not {"running.png", "running.csv", "ledgers.png"} & {path.name for path in (tmp_path / "run").iterdir()}
