import pytest

from analysis.checks.check import Outcome
from analysis.tables import Tables
from analysis.verdict import judge
from scenarios.formats.columns import Column
from tests.builders.evidence import evidence, response, responses

WEIGHTS = {"a": 1, "b": 2, "c": 3}
EXACT = {"a": 167, "b": 333, "c": 500}
PASS, FAIL, INVALID = Outcome.PASS, Outcome.FAIL, Outcome.INVALID


def verdict(evidence):
    return judge(evidence, Tables.of(evidence))


def turned(verdict):
    """The checks that did not pass, of those that could be tested without the other ledgers."""
    return {check.name: check.outcome for check in verdict.checks if check.outcome not in (PASS, Outcome.UNTESTED)}


def test_outcomes_have_the_names_and_exit_codes_that_are_documented():
    assert {str(outcome): outcome.exit_code for outcome in Outcome} == {
        "UNTESTED": 0,
        "PASS": 0,
        "FAIL": 1,
        "INVALID": 3,
    }


def test_an_exact_split_passes():
    result = verdict(evidence(responses(EXACT), WEIGHTS))
    assert result.outcome is PASS
    assert [check.name for check in result.checks] == [
        "requests",
        "users",
        "loop lag",
        "processes",
        "own faults",
        "errors",
        "backends",
        "ledgers",
        "split a",
        "split b",
        "split c",
    ]


@pytest.mark.parametrize(
    ("counts", "failing"),
    [
        ({"a": 166, "b": 334, "c": 500}, {}),
        ({"a": 167, "b": 334, "c": 499}, {}),
        ({"a": 168, "b": 333, "c": 499}, {"split a": FAIL}),
        ({"a": 167, "b": 332, "c": 501}, {"split b": FAIL}),
        ({"a": 166, "b": 332, "c": 502}, {"split b": FAIL, "split c": FAIL}),
        ({"a": 0, "b": 400, "c": 600}, {"split a": FAIL, "split b": FAIL, "split c": FAIL}),
    ],
)
def test_the_split_is_judged_to_the_request(counts, failing):
    assert turned(verdict(evidence(responses(counts), WEIGHTS))) == failing


def test_weights_that_chi_square_would_accept_fail():
    """1:2:2.9 at N = 6000 has X² = 1.72, well under the 5.99 of the 5 % level."""
    counts = {"a": 1017, "b": 2034, "c": 2949}
    assert turned(verdict(evidence(responses(counts), WEIGHTS))) == {
        "split a": FAIL,
        "split b": FAIL,
        "split c": FAIL,
    }


def test_a_stranger_fails_and_so_does_the_split_that_it_took_from():
    result = turned(verdict(evidence(responses(EXACT | {"z": 6}), WEIGHTS)))
    assert result["backends"] is FAIL
    assert result["split c"] is FAIL


def test_one_failed_request_fails_and_leaves_the_split_in_doubt():
    rows = [*responses(EXACT), response(2000, status=0, error="ConnectionResetError: reset")]
    result = verdict(evidence(rows, WEIGHTS))
    assert turned(result) == {"errors": FAIL, "split a": INVALID, "split b": INVALID, "split c": INVALID}
    assert result.outcome is FAIL
    assert next(check for check in result.checks if check.name == "errors").observed == (
        "1 of 1,001: ConnectionResetError: reset"
    )


def test_a_failure_whose_backend_is_known_leaves_no_doubt_about_the_split():
    rows = responses(EXACT)
    rows[0] = rows[0]._replace(status=503, error="status 503")
    assert turned(verdict(evidence(rows, WEIGHTS))) == {"errors": FAIL}


def test_the_scenario_may_allow_errors():
    rows = responses(EXACT)
    rows[0] = rows[0]._replace(status=503, error="status 503")
    assert turned(verdict(evidence(rows, WEIGHTS, error_rate=0.001))) == {}


def test_a_run_that_sent_too_little_cannot_tell():
    result = verdict(evidence(responses(EXACT), WEIGHTS, requests=1001))
    assert turned(result) == {"requests": INVALID}
    assert result.outcome.exit_code == 3


def test_a_run_that_was_stopped_cannot_tell_the_split():
    result = verdict(evidence(responses(EXACT), WEIGHTS, complete=False))
    assert turned(result) == {"requests": INVALID, "split a": INVALID, "split b": INVALID, "split c": INVALID}


def test_a_request_id_that_stands_twice_makes_the_run_invalid():
    rows = responses(EXACT)
    rows[1] = rows[1]._replace(request_id=rows[0].request_id)
    assert turned(verdict(evidence(rows, WEIGHTS))) == {"requests": INVALID} | dict.fromkeys(
        ("split a", "split b", "split c"), INVALID
    )


def test_users_that_never_came_make_the_run_invalid():
    made = evidence(responses(EXACT), WEIGHTS, users=100)
    made.generator.loc[0, Column.USERS] = 99
    assert turned(verdict(made)) == {"users": INVALID}


@pytest.mark.parametrize(("limit_ms", "outcome"), [(2.0, PASS), (1.0, PASS), (0.9, FAIL)])
def test_a_latency_threshold_is_a_threshold(limit_ms, outcome):
    result = verdict(evidence(responses(EXACT), WEIGHTS, p99_ms={"steady": limit_ms}))
    assert result.checks[-1].name == "p99 steady"
    assert result.outcome is outcome


def test_a_run_without_requests_proves_nothing():
    result = verdict(evidence([], WEIGHTS, requests=1, p99_ms={"steady": 1.0}))
    assert result.outcome is INVALID
    assert FAIL not in turned(result).values()


def test_a_broken_claim_weighs_more_than_one_that_could_not_be_tested():
    result = verdict(evidence(responses({"a": 200, "b": 300, "c": 500}), WEIGHTS, requests=1001))
    assert {FAIL, INVALID} <= set(turned(result).values())
    assert result.outcome is FAIL
    assert result.outcome.exit_code == 1
