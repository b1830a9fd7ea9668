"""Kinds of checks: declared whole, found again in a verdict that was written, and never by a name."""

import importlib
import json
import pkgutil

import pytest
from pydantic import ValidationError

from analysis import checks
from analysis.checks import sources
from analysis.checks.check import CheckKind
from analysis.checks.differences import KINDS as OF_DIFFERENCES
from analysis.measures.reconciliation import Difference
from analysis.tables import Tables
from analysis.verdict import KINDS, Verdict, judge
from tests.builders.broken_run import broken_run
from tests.builders.odd_runs import RUNS

DECLARED = {"title": "new", "claim": "{subject} is new.", "meaning": "It is old.", "evidence": sources.RESPONSES}


def verdict_of(made):
    return judge(made, Tables.of(made))


def test_kinds_of_every_module_are_known_to_the_verdict_under_titles_of_their_own():
    modules = [
        importlib.import_module(f"{checks.__name__}.{each.name}") for each in pkgutil.iter_modules(checks.__path__)
    ]
    declared = {kind for module in modules for kind in vars(module).values() if isinstance(kind, CheckKind)}
    declared |= {kind for module in modules for kind in getattr(module, "KINDS", ())}
    assert len(declared) == len(KINDS) > 40
    assert declared == set(KINDS.values())


def test_every_difference_has_its_kind():
    assert [kind.title for kind in OF_DIFFERENCES] == list(Difference)


@pytest.mark.parametrize("missing", DECLARED)
def test_kind_that_leaves_something_out_cannot_be_declared(missing):
    with pytest.raises(TypeError, match=missing):
        CheckKind(**{name: value for name, value in DECLARED.items() if name != missing})


def test_kind_whose_claim_names_what_no_check_has_cannot_be_declared():
    with pytest.raises(KeyError, match="stage"):
        CheckKind(**DECLARED | {"claim": "Stage {stage} is new."})


@pytest.mark.parametrize("made", [broken_run, RUNS["usual"], RUNS["plain Locust"]])
def test_verdict_that_is_read_has_the_checks_and_the_kinds_that_were_written(made):
    written = verdict_of(made())
    read = Verdict.read(written.model_dump_json().encode())
    assert read == written
    assert all(one.kind is other.kind for one, other in zip(read.checks, written.checks, strict=True))


@pytest.mark.parametrize("made", RUNS.values(), ids=RUNS)
def test_claims_of_every_run_are_told_with_all_that_they_name(made):
    claims = [check.claim for check in verdict_of(made()).checks]
    assert claims
    assert not [claim for claim in claims if "  " in claim or claim.startswith(" ") or not claim.endswith(".")]


def test_check_in_a_document_has_its_name_claim_evidence_and_meaning():
    document = json.loads(verdict_of(RUNS["usual"]()).model_dump_json())
    check = next(each for each in document["checks"] if each["name"] == "split back-01")
    assert check == {
        "kind": "split",
        "subject": "back-01",
        "detail": "1 of every 6",
        "expected": "100.00 ± 0.83",
        "observed": "100",
        "outcome": "PASS",
        "name": "split back-01",
        "claim": "back-01 answers 1 of every 6 requests.",
        "evidence": "distribution.csv",
        "meaning": "The balancer does not divide the requests as its configuration says.",
    }


@pytest.mark.parametrize("kind", ["spilt", 7, None, {"title": "split"}])
def test_verdict_with_an_unknown_kind_is_refused(kind):
    document = json.loads(verdict_of(RUNS["usual"]()).model_dump_json())
    document["checks"][0]["kind"] = kind
    with pytest.raises(ValidationError, match="is no kind of check"):
        Verdict.read(json.dumps(document).encode())
