"""With which commands a run is repeated, and what cannot be."""

import pytest

from analysis.documents.page import page
from analysis.documents.reproduction import caveat, commands
from scenarios.spec.claim import Claim
from tests.builders.evidence import asked_at, manifest, scenario
from tests.builders.findings import Text, check, findings_in

OF_MAKE = {"stack": "compose", "git_commit": "abc+changes"}


@pytest.fixture
def findings(tmp_path):
    return findings_in(tmp_path)


@pytest.mark.parametrize(
    ("of_manifest", "expected"),
    [
        ({"stack": "local", "git_commit": None}, ["make scenario-made STACK=local"]),
        (OF_MAKE, ["git checkout abc", "make scenario-made STACK=compose"]),
        (
            OF_MAKE | {"scaled": True, "processes": 2, "claim": Claim.of("a=1,b=2")},
            [
                "git checkout abc",
                "make scenario-made STACK=compose REQUESTS=1000 USERS=1 PROCESSES=2 CLAIM=a=1,b=2",
            ],
        ),
        (
            {"stack": "external", "claim": Claim.of("a=1,b=2"), "scaled": True}
            | asked_at(scenario(1000), "http://x/;rm"),
            [
                ".venv/bin/locust -f locustfiles/made.py --headless --host 'http://x/;rm' --claim a=1,b=2"
                " --scale-requests 1000 --scale-users 1"
            ],
        ),
    ],
)
def test_a_run_is_repeated_with_commands_that_can_be_typed(of_manifest, expected):
    made = manifest(scenario(1000), {"a": 1}).model_copy(update=of_manifest)
    assert commands(made, "reports/made/now") == [*expected, "make report RUN=reports/made/now"]


@pytest.mark.parametrize(
    ("commit", "said"), [(None, "not known"), ("abc+changes", "differed from that commit"), ("abc", "")]
)
def test_what_cannot_be_repeated_is_said(findings, commit, said):
    found = findings(check(), git_commit=commit)
    assert (said in caveat(found.manifest)) if said else not caveat(found.manifest)
    assert caveat(found.manifest) in Text(page(found)).text
