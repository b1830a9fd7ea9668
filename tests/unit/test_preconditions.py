"""What has to hold before the ledgers can tell anything of the split."""

import pytest

from analysis.checks.differences import KINDS
from analysis.tables import Tables
from analysis.verdict import judge
from scenarios.formats.stack_record import BalancerState
from tests.builders.evidence import counted, logged, stack, three_ledgers
from tests.builders.ledgers import EXACT, FAIL, INVALID, SPLITS, WEIGHTS, rows, turned

UNCOUNTED_B = dict.fromkeys(("counters", "ledgers b", *(kind.title for kind in KINDS if kind.needs_counters)), INVALID)


def test_a_clock_that_was_set_back_makes_the_running_split_untestable():
    log = logged(rows())
    log = log[:500] + [row._replace(ended_s=row.ended_s - 0.016) for row in log[500:]]
    expected = {"clocks": INVALID} | {name: outcome for name, outcome in SPLITS.items() if name.startswith("running")}
    made = three_ledgers(rows(), WEIGHTS, log=log)
    assert turned(made) == expected
    verdict = judge(made, Tables.of(made))
    assert (verdict.doubt, verdict.doubt_all_along) == ("", "the balancer's clock was set back")


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"standing": stack(after=BalancerState(workers=[2], configuration="same"))}, "balancer"),
        ({"standing": stack(after=BalancerState(workers=[1], configuration="other"))}, "balancer"),
        ({"standing": stack(after=None)}, "balancer"),
        ({"damaged": 1}, "log"),
        ({"log": [row._replace(ended_s=900.0) for row in logged(rows())]}, "log"),
    ],
)
def test_a_precondition_that_is_broken_makes_the_split_untestable(change, check):
    made = three_ledgers(rows(), WEIGHTS, **change)
    assert {check: INVALID} | SPLITS == {name: outcome for name, outcome in turned(made).items() if name != "clocks"}


def test_clocks_that_are_apart_are_noticed():
    log = [row._replace(ended_s=row.ended_s + 3.0) for row in logged(rows())]
    assert turned(three_ledgers(rows(), WEIGHTS, log=log)) == {"clocks": INVALID}


def test_a_counter_that_began_anew_or_did_not_say_anything_is_not_believed():
    restarted = counted(EXACT, b={"started_us": 2, "created": 3})
    assert turned(three_ledgers(rows(), WEIGHTS, counts=restarted)) == UNCOUNTED_B
    silent = [row for row in counted(EXACT) if (row.moment, row.service) != ("after", "b")]
    assert turned(three_ledgers(rows(), WEIGHTS, counts=silent)) == UNCOUNTED_B


def test_a_backend_under_anothers_name_fails():
    named = counted(EXACT, b={"host_tag": "a"})
    assert turned(three_ledgers(rows(), WEIGHTS, counts=named)) == {"identity": FAIL}


def test_an_empty_log_of_a_run_that_sent_something_is_no_evidence():
    assert turned(three_ledgers(rows(), WEIGHTS, log=[]))["log"] is INVALID


def test_nothing_was_sent_and_nothing_crashes():
    made = three_ledgers([], WEIGHTS, requests=1, counts=counted(dict.fromkeys(WEIGHTS, 0)))
    assert set(turned(made).values()) == {INVALID}
