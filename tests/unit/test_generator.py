import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.checks.check import Outcome
from analysis.checks.generator import generator_checks
from analysis.measures.generator import loop_lag_ms, most_at_once, overhead, own_share_ms, processes, stages, totals
from analysis.measures.matching import Matching
from scenarios.formats.columns import Column
from scenarios.formats.rows import Response
from tests.builders.evidence import balanced, evidence, frame, pulse, response

WEIGHTS = {"a": 1}
START_US = 1_000_000_000


def checks(made):
    return {
        check.name: check.outcome
        for check in generator_checks(made, stages(made, totals(made)), overhead(made, Matching.of(made)))
    }


def test_totals_are_of_all_processes_each_as_it_last_was():
    samples = [
        pulse(START_US, process="one", users=3),
        pulse(START_US + 10, process="two", users=4, in_flight=2),
        pulse(START_US + 20, process="one", users=5),
    ]
    table = totals(evidence([], WEIGHTS, requests=9, samples=samples))
    assert list(table[Column.USERS]) == [3, 7, 9]
    assert list(table[Column.IN_FLIGHT]) == [0, 2, 2]


def test_requests_in_flight_are_counted_from_their_times():
    rows = [
        response(0, sent_us=0, latency_us=100),
        response(1, sent_us=50, latency_us=100),
        response(2, sent_us=100, latency_us=10),  # begins when the first ends
        response(3, sent_us=500, latency_us=1),
    ]
    ledger, none = frame(rows, Response), frame([], Response)
    assert most_at_once(ledger[Column.SENT_US], ledger[Column.LATENCY_US]) == 2
    assert most_at_once(none[Column.SENT_US], none[Column.LATENCY_US]) == 0


def most_at_once_by_events(starts, lengths):
    """One after the other: who ends when another begins is not under way with it."""
    times = np.concatenate([starts, starts + lengths])
    changes = np.repeat([1, -1], len(starts))
    return int(changes[np.lexsort((changes, times))].cumsum().max(initial=0))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10)), max_size=40))
def test_the_most_at_once_is_what_going_through_all_events_finds(stretches):
    starts, lengths = (pd.Series([each[place] for each in stretches], dtype="int64") for place in (0, 1))
    assert most_at_once(starts, lengths) == most_at_once_by_events(starts.to_numpy(), lengths.to_numpy())


def test_a_stage_says_what_it_had_and_how_long_that_took():
    rows = [response(0, "a", late_us=500), response(1, "a", connect_us=7), response(2, "a")]
    samples = [
        pulse(START_US, users=0),
        pulse(START_US + 300_000, users=3, connections=2),
        pulse(START_US + 600_000, users=3, connections=3),
    ]
    made = evidence(rows, WEIGHTS, users=3, samples=samples)
    row = stages(made, totals(made)).loc["steady"]
    assert (row[Column.USERS_ASKED], row[Column.USERS], row[Column.RAMP_S], row[Column.CONNECTIONS]) == (
        3,
        3,
        pytest.approx(0.3),
        3,
    )
    assert (row[Column.IN_FLIGHT], row[Column.UNANSWERED], row[Column.CONNECTED_FIRST]) == (2, 1, 1)


def test_moments_that_a_busy_loop_left_out_count_as_late_too():
    made = evidence([response(0, "a")], WEIGHTS, samples=[pulse(lag_us=1000), pulse(START_US + 1, lag_us=170_000)])
    assert sorted(loop_lag_ms(made)) == pytest.approx([1, 20, 70, 120, 170])


def test_the_own_share_is_what_the_balancer_does_not_account_for():
    rows = [
        response(0, "a", latency_us=5000, connect_us=1000),
        response(1, "a", latency_us=2000),
        response(2, status=0),
    ]
    log = [balanced("id-0", 0.003), balanced("id-1", 0.002), balanced("somebody else's", 9.0), balanced("id-2", 0.1)]
    made = evidence(rows, WEIGHTS, balancer=log)
    assert sorted(own_share_ms(made, Matching.of(made))) == pytest.approx([0, 1])


def test_without_the_balancers_log_the_own_share_is_not_known():
    made = evidence([response(0, "a")], WEIGHTS)
    assert list(overhead(made, Matching.of(made)).index) == ["loop lag"]


def test_a_process_says_what_it_used():
    samples = [
        pulse(START_US, cpu_us=1_000_000),
        pulse(START_US + 2_000_000, cpu_us=2_500_000, memory_bytes=2**21),
    ]
    row = processes(evidence([response(0, "a")], WEIGHTS, samples=samples)).loc["one"]
    assert (row[Column.CPU_S], row[Column.CPU], row[Column.MEMORY_PEAK_MIB], row[Column.SECONDS]) == (1.5, 0.75, 2, 2)


def rendezvous(in_flight, users=20):
    rows = [response(number, "a", sent_us=START_US, latency_us=10) for number in range(in_flight)]
    rows += [response(number, "a", sent_us=START_US + number * 100) for number in range(in_flight, users)]
    rows = [row._replace(latency_us=10) for row in rows]
    made = evidence(rows, WEIGHTS, users=users, rendezvous=True)
    return checks(made)["rendezvous steady"]


def test_a_rendezvous_wants_nearly_all_users_in_flight_at_once():
    assert rendezvous(19) is Outcome.PASS
    assert rendezvous(18) is Outcome.INVALID


@pytest.mark.parametrize(
    ("samples", "rows", "invalid"),
    [
        ([pulse(users=0)], [response(0, "a")], {"users"}),
        ([pulse(lag_us=500_000)], [response(0, "a")], set()),
        ([pulse(lag_us=500_001)], [response(0, "a")], {"loop lag"}),
        ([], [response(0, "a")], {"users", "loop lag", "processes"}),
        ([pulse(), pulse(START_US + 1, process="late")], [response(0, "a")], set()),
        ([pulse()], [response(0, status=0, error="GeneratorFault: Too many open files")], {"own faults"}),
        ([pulse()], [response(0, status=0, error="AnswerFault: closed before an answer")], set()),
    ],
)
def test_what_the_generator_lacked_makes_the_run_invalid_and_nothing_else_does(samples, rows, invalid):
    outcomes = checks(evidence(rows, WEIGHTS, samples=samples))
    assert {name for name, outcome in outcomes.items() if outcome is Outcome.INVALID} == invalid
    assert set(outcomes.values()) <= {Outcome.PASS, Outcome.INVALID}
