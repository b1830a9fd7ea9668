"""What the head of the summary says, for a run that passed, one that failed, and one that cannot tell."""

from analysis.charts import distribution as split
from analysis.charts import summary
from analysis.checks.check import Outcome
from analysis.measures.statistics import distribution
from analysis.tables import Tables
from analysis.verdict import judge
from tests.builders.evidence import evidence, responses
from tests.builders.odd_runs import LONG, RUNS, THREE, always, run


def head(made):
    verdict = judge(made, Tables.of(made))
    return verdict, summary.header(made, verdict)


def test_the_summary_of_a_run_that_passed_says_what_is_claimed():
    verdict, told = head(RUNS["usual"]())
    assert verdict.outcome is Outcome.PASS
    passed = sum(check.outcome is Outcome.PASS for check in verdict.checks)
    assert told.answer == f"made: {passed} of {passed} checks passed"
    assert told.facts.split("   ")[2:] == ["600 requests", "10 users"]
    assert " ".join(told.lines).startswith("It holds, however it is measured")


def test_the_summary_of_a_run_that_failed_names_the_first_checks_and_what_they_mean():
    verdict, told = head(run(THREE, fails=always))
    assert verdict.outcome is Outcome.FAIL
    assert told.answer.endswith(" checks passed, 1 failed")
    assert told.lines[0].startswith("FAIL errors: 600 of 600: AnswerFault: reset. Users would have been turned away")
    assert any(line.startswith("INVALID ") and "Not shown: " in line for line in told.lines)
    others = sum(check.outcome in {Outcome.FAIL, Outcome.INVALID} for check in verdict.checks) - 2
    assert told.lines[-1] == f"and {others} more"


def test_the_summary_of_a_run_that_cannot_tell_says_so():
    verdict, told = head(RUNS["empty"]())
    assert verdict.outcome is Outcome.INVALID
    assert told.lines[0].startswith("INVALID requests: 0")
    assert "failed" not in told.answer


def test_long_names_take_only_a_part_of_a_title():
    tag = next(iter(LONG))
    title = split.answer(distribution(evidence(responses({tag: 6}), {tag: 1})), "")
    assert title.startswith(tag[:8])
    assert len(title) < 70
