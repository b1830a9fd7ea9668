"""What each document says, and that nothing that somebody else named can change how it is read."""

import json
import re
from base64 import b64decode
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from analysis.__main__ import _print
from analysis.charts.gallery import Picture
from analysis.checks.check import Outcome
from analysis.checks.undetected import OF_FAULT
from analysis.documents.captions import CAPTIONS, caption_of
from analysis.documents.junit import junit
from analysis.documents.markdown import with_pictures, without_pictures
from analysis.documents.page import page
from analysis.documents.publishing import publish
from analysis.documents.sheet import NOTHING, ROWS, sheet
from analysis.documents.wording import conclusion, undetected
from analysis.tables import Tables
from scenarios.formats.columns import Column
from scenarios.spec.fault_kind import FaultKind
from tests.builders.broken_run import broken_run
from tests.builders.evidence import asked_at, responses, scenario, three_ledgers
from tests.builders.findings import DISTRIBUTION, PNG, Text, check, findings_in, with_evidence

SCRIPT = "<script>alert(1)</script>"
ODD_NAMES = [SCRIPT, "a,b|c", "x" * 60, "</td></table>", '" onload="alert(1)', "*not* `code` [link](x) ~~gone~~"]


@pytest.fixture
def findings(tmp_path):
    return findings_in(tmp_path)


@pytest.mark.parametrize(
    ("outcomes", "sentences"),
    [
        ([Outcome.PASS], "All 1 claims that could be tested held."),
        (
            [Outcome.PASS, Outcome.UNTESTED],
            "All 1 claims that could be tested held. 1 could not be tested here, and counts for nothing.",
        ),
        ([Outcome.PASS, Outcome.FAIL], "1 of 2 claims did not hold: split 1."),
        ([Outcome.INVALID, Outcome.PASS], "This run cannot tell whether 1 of 2 claims hold: split 0."),
        (
            [Outcome.INVALID, Outcome.FAIL],
            "1 of 2 claims did not hold: split 1. This run cannot tell whether 1 of 2 claims hold: split 0.",
        ),
        ([Outcome.FAIL] * 8, "8 of 8 claims did not hold: split 0, split 1, split 2, split 3, split 4 and 3 more."),
    ],
)
def test_the_verdict_is_put_into_words(findings, outcomes, sentences):
    verdict = findings(*(check(outcome, f"{n}") for n, outcome in enumerate(outcomes))).verdict
    assert conclusion(verdict) == sentences


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (Outcome.FAIL, "FAIL split a: The balancer does not divide the requests as its configuration says. Expected"),
        (Outcome.INVALID, "INVALID split a: Not shown. If the claim does not hold: The balancer does not divide"),
    ],
)
def test_a_check_that_turned_says_what_follows_in_every_document(findings, outcome, says):
    found = findings(check(), check(outcome))
    assert says in Text(page(found)).text
    assert says in with_pictures(found).replace("**", "")
    assert says.partition("split a: ")[2].partition(" Expected")[0] in junit(found)


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.UNTESTED])
def test_what_did_not_turn_needs_no_explanation(findings, outcome):
    found = findings(check(outcome))
    assert check().meaning not in page(found) + with_pictures(found) + junit(found)


@pytest.mark.parametrize("kind", OF_FAULT.values(), ids=OF_FAULT)
def test_undetected_fault_is_a_finding_in_every_document(findings, kind, capsys):
    found = findings(check(kind=kind, observed="100"))
    text = undetected(found.verdict)[0][1]
    assert text == f"{check(kind=kind).claim} It took 100; its share is exactly so. {kind.remedy}"
    assert text.startswith("a ")
    _print(found.verdict, found.directory)
    printed = " ".join(capsys.readouterr().out.split())
    for document in (Text(page(found)).text, with_pictures(found).replace("\\", ""), printed):
        assert f"{kind.title} a: {text}" in document.replace("A finding, ", "")


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.INVALID])
def test_detected_fault_is_no_finding(findings, outcome):
    assert undetected(findings(check(outcome, kind=OF_FAULT[FaultKind.FAIL])).verdict) == []
    assert "A finding" not in Text(page(findings(check()))).text


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_page_shows_odd_names_and_makes_nothing_of_them(findings, name):
    usual = Text(page(findings(check(), check(Outcome.FAIL))))
    distribution = DISTRIBUTION.rename(index={"a": name})
    odd = Text(
        page(
            findings(
                check(kind=with_evidence(name)),
                check(Outcome.FAIL, name, observed=name),
                distribution=distribution,
                **asked_at(scenario(1000), name),
            )
        )
    )
    assert [tag for tag in odd.tags if tag != "a"] == [tag for tag in usual.tags if tag != "a"]
    assert " ".join(name.split()) in odd.text


def test_pictures_lie_within_the_page_and_say_what_they_show(findings):
    made = page(findings(check(), pictures=[Picture("latency", f"Fast {SCRIPT}"), Picture("summary", "All is well")]))
    seen, alts = zip(
        *re.findall(r'<img src="data:image/png;base64,([^"]*)" width="200" alt="([^"]*)">', made), strict=True
    )
    assert {b64decode(picture) for picture in seen} == {PNG}
    assert list(alts) == ["All is well", "Fast &lt;script&gt;alert(1)&lt;/script&gt;"]
    assert made.index("All is well") < made.index('id="checks"') < made.index("Fast ")


def test_evidence_is_a_link_only_where_there_is_a_file(findings, tmp_path):
    found = findings(*(check(kind=with_evidence(f"{name}.csv")) for name in ("responses", "missing")))
    (tmp_path / "responses.csv").touch()
    links = Text(page(found)).links
    assert "responses.csv" in links
    assert "missing.csv" not in links


def test_a_long_table_is_cut_and_names_its_file(findings):
    made = Text(page(findings(check(), distribution=pd.DataFrame({"at": range(1234)})))).text
    assert "The page shows the first 200 of 1,234 rows; all rows are in distribution.csv ." in made.replace(
        "csv.", "csv ."
    )
    assert " 199 " in made
    assert " 200 200 " not in made


def test_a_table_that_is_not_too_long_is_shown_whole():
    assert not sheet("t", "c", pd.DataFrame({"n": range(ROWS)})).is_cut
    assert sheet("t", "c", pd.DataFrame({"n": range(ROWS + 1)})).is_cut


def test_numbers_of_a_column_line_up_and_what_is_missing_is_said():
    made = sheet(
        "t",
        "c",
        pd.DataFrame({"x": [1234.5, None, 0.125], "n": [1, 2, 30000], "s": ["a", None, ""], "b": [True, False, True]}),
    )
    assert made.rows == [("1,234.500", "1", "a", "yes"), (NOTHING, "2", NOTHING, "no"), ("0.125", "30,000", "", "yes")]
    assert made.numeric == [True, True, False, False]


def test_a_table_of_nothing_says_so(findings):
    assert "No rows." in Text(page(findings(check(), distribution=DISTRIBUTION.head(0)))).text


def test_every_table_of_a_whole_report_has_a_caption():
    evidence = three_ledgers(responses({"a": 1, "b": 2}), {"a": 1, "b": 2})
    names = {name for made in (evidence, broken_run()) for name, _ in Tables.of(made).files(made)}
    assert names <= CAPTIONS.keys()
    assert caption_of("something new") == "something new"


@pytest.mark.parametrize("name", ODD_NAMES)
def test_markdown_keeps_its_tables_whatever_the_names(findings, name):
    odd = f"{name}\nand a second line"
    made = with_pictures(findings(check(observed=odd), distribution=DISTRIBUTION.rename(index={"a": odd})))
    rows = [line for line in made.splitlines() if line.startswith("|")]
    cells = [len(re.split(r"(?<!\\)\|", row)) - 2 for row in rows]
    assert cells == [5] * 3 + [2] * 3 + [3] * 3
    assert "<script>" not in made
    assert not re.search(r"(?<!\\)[*`~\[]", made)


def test_markdown_has_the_split_the_latency_of_all_and_the_pictures(findings):
    pictures = [Picture("summary", "All is well"), Picture("latency", "Fast")]
    found = findings(check(), pictures=pictures)
    made = with_pictures(found)
    assert made.startswith("# Made: PASS\n\nAll 1 claims that could be tested held.\n")
    tag, answered, p99 = (each.replace("_", r"\_") for each in (Column.HOST_TAG, Column.ANSWERED, Column.P99_MS))
    assert f"| {tag} | {answered} |\n| --- | ---: |\n| a | 1,000 |" in made
    assert f"| stage | count | {p99} |\n| --- | ---: | ---: |\n| steady | 1,000 | 7.25 |\n" in made
    assert made.index("![All is well](summary.png)") < made.index("## Checks") < made.index("![Fast](latency.png)")
    assert "![" not in without_pictures(found)


def test_junit_counts_every_kind_of_outcome(findings):
    checks = [check(outcome, str(outcome)) for outcome in Outcome for _ in range(1 + list(Outcome).index(outcome))]
    (suite,) = ET.fromstring(junit(findings(*checks, stack="local", git_commit="abc")))
    assert suite.get("name") == "made"
    expected = {"tests": 10, "skipped": 1, "errors": 3, "failures": 4}
    assert {name: int(suite.get(name)) for name in expected} == expected
    found = [[child.tag for child in case] for case in suite.iter("testcase")]
    assert found == [["skipped"]] + [[]] * 2 + [["error"]] * 3 + [["failure"]] * 4
    assert suite.find(".//failure").get("message") == "expected exactly so; observed seen"
    properties = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert properties.items() >= {"stack": "local", "commit": "abc", "claim": "a=1"}.items()


def test_junit_is_xml_whatever_the_names(findings):
    name = '\x00\x1b\ud800\ufffe<&">\n\U0001f600'
    (suite,) = ET.fromstring(
        junit(findings(check(Outcome.FAIL, name, observed=name), **asked_at(scenario(1000), "\x07"))).encode()
    )
    case = suite.find("testcase")
    assert case.get("name") == 'split \ufffd\ufffd\ufffd\ufffd<&">\n\U0001f600'
    assert case.find("failure").get("message").endswith(case.get("name").removeprefix("split "))


def test_publishing_leaves_whole_documents_and_nothing_else(findings, tmp_path):
    found = findings(check())
    publish(found, {})
    publish(found, {})
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "report.md", "junit.xml", "verdict.json"}
    assert json.loads((tmp_path / "verdict.json").read_text())["outcome"] == "PASS"


def test_a_reader_of_the_page_before_keeps_it_whole(findings, tmp_path):
    publish(findings(check()), {})
    with (tmp_path / "report.html").open() as reader:
        first = reader.read(100)
        publish(findings(check(Outcome.FAIL)), {})
        before = first + reader.read()
    assert "Verdict: </span>PASS" in before
    assert before.endswith("</html>")
    assert "Verdict: </span>FAIL" in (tmp_path / "report.html").read_text()


def test_the_summary_of_a_step_is_added_to_what_is_there(findings, tmp_path):
    path = tmp_path / "step.md"
    path.write_text("before\n")
    found = findings(check(), pictures=[Picture("latency", "Fast")])
    publish(found, {"GITHUB_STEP_SUMMARY": str(path)})
    assert path.read_text() == "before\n" + without_pictures(found)


def test_a_summary_that_cannot_be_written_is_told_and_changes_nothing(findings, tmp_path, capsys):
    path = tmp_path / "nowhere" / "step.md"
    publish(findings(check()), {"GITHUB_STEP_SUMMARY": str(path)})
    assert capsys.readouterr().err == (
        f"analysis: GITHUB_STEP_SUMMARY is {path}: No such file or directory; the report is complete\n"
    )
    assert (tmp_path / "report.html").read_text().endswith("</html>")
