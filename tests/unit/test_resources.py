import dataclasses

import pandas as pd
import pytest

from analysis.checks.check import Outcome
from analysis.checks.resources import CARRIED_OVER_S, OOM_KILLS, SPARE_S, resource_checks
from analysis.faults.accounting import Account
from analysis.measures.resources import MIB, intervals, usage
from scenarios.formats.columns import Column
from scenarios.formats.rows import Resource
from scenarios.formats.stack_record import Limits, StackRecord
from tests.builders.evidence import HOST, evidence, frame, response

START_US = 1_000_000_000
S = 1_000_000
PASS, FAIL, INVALID, UNTESTED = Outcome.PASS, Outcome.FAIL, Outcome.INVALID, Outcome.UNTESTED
NAMES = ["services", "restarts", "OOM kills", "health", "limits", "within limits"]
LIMITS = Limits(cpus=0.25, memory_bytes=128 * MIB, pids=32)


def sample(second, service="a", **changed):
    """A container that uses a tenth of a core and half of its memory, at this second of the run."""
    return Resource(
        at_us=START_US + round(second * S),
        service=service,
        container=f"{service}-1",
        state="running",
        health="healthy",
        started_us=1,
        restarts=0,
        oom_events=0,
        oom_kills=0,
        cpu_us=5 * S + round(second * S / 10),
        cpu_limit=LIMITS.cpus,
        periods=round(10 * second) + 10,
        throttled_periods=round(second) + 1,
        throttled_us=0,
        memory_bytes=64 * MIB,
        memory_limit_bytes=LIMITS.memory_bytes,
        swap_limit_bytes=0,
        pids_limit=LIMITS.pids,
        received_bytes=round((second + 1) * 2 * MIB),
        sent_bytes=round((second + 1) * MIB),
        read_bytes=0,
        written_bytes=0,
    )._replace(**changed)


def run(samples, *, services=("a",), enforces=True):
    """A run of five seconds, from 0 to 5, with these samples."""
    rows = [response(number, "a", sent_us=START_US + number * S) for number in range(6)]
    record = StackRecord(name="made", enforces=enforces, services=dict.fromkeys(services, LIMITS), versions={})
    return dataclasses.replace(evidence(rows, {"a": 1}), stack=record, resources=frame(samples, Resource))


def seconds(changed_from=None, **changed):
    """Samples from a second before the run to a second after it, some of them changed."""
    return [
        sample(second, **(changed if changed_from is not None and second >= changed_from else {}))
        for second in range(-1, 7)
    ]


def outcomes(made):
    return {check.name: check.outcome for check in resource_checks(made, intervals(made), Account())}


def turned(made):
    """The checks that did not pass, with what was observed."""
    checks = resource_checks(made, intervals(made), Account())
    return {check.name: (check.outcome, check.observed) for check in checks if check.outcome is not PASS}


def test_a_stack_that_keeps_what_it_claims_passes():
    assert outcomes(run(seconds())) == dict.fromkeys(NAMES, PASS)


@pytest.mark.parametrize(
    ("changed", "name", "observed"),
    [
        ({"state": "exited"}, "services", "a exited"),
        ({"restarts": 2, "started_us": 9}, "restarts", "a 2"),
        ({"started_us": 9}, "restarts", "a 1"),
        ({"oom_kills": 3}, "OOM kills", "a 3"),
        ({"oom_events": 9}, "OOM kills", "a 1"),
        ({"health": "unhealthy"}, "health", "a unhealthy"),
        ({"health": ""}, "health", "a unchecked"),
        ({"cpu_limit": 0.5}, "limits", "a 0.5 CPU 128 MiB 32 processes"),
        ({"memory_limit_bytes": 256 * MIB}, "limits", "a 0.25 CPU 256 MiB 32 processes"),
        ({"memory_limit_bytes": 0}, "limits", "a 0.25 CPU 32 processes"),
        ({"swap_limit_bytes": -1}, "limits", "a 0.25 CPU 128 MiB any swap 32 processes"),
        ({"pids_limit": 0}, "limits", "a 0.25 CPU 128 MiB"),
        ({"memory_bytes": 129 * MIB}, "within limits", "memory of a 101 %"),
    ],
)
def test_each_check_turns_red_by_itself(changed, name, observed):
    assert turned(run(seconds(changed_from=3, **changed))) == {name: (FAIL, observed)}


def test_while_a_limit_is_changed_the_higher_one_holds():
    """It was used under the old limit, and is seen under the new one."""
    samples = [each if each.at_us < START_US + 3 * S else each._replace(cpu_limit=0.01) for each in seconds()]
    found = intervals(run(samples)).set_index(Column.END_S)[Column.CPU_LIMIT]
    assert found.to_dict() == {0: 0.25, 1: 0.25, 2: 0.25, 3: 0.25, 4: 0.01, 5: 0.01, 6: 0.01}


def test_one_whose_health_the_engine_has_not_asked_for_yet_is_named_and_no_fault():
    """It asks first after an interval, and what was mended after a run with faults need not wait for that."""
    checks = resource_checks(made := run(seconds(changed_from=-1, health="starting")), intervals(made), Account())
    health = next(check for check in checks if check.name == "health")
    assert (health.outcome, health.observed) == (PASS, "all healthy, a not asked at once")


def test_a_container_that_was_killed_and_started_again_is_both():
    """The kernel counts anew in the new life; what the engine said of it is what remains."""
    samples = seconds(changed_from=3, started_us=9, restarts=1, oom_events=1, cpu_us=0)
    assert turned(run(samples)) == {"restarts": (FAIL, "a 1"), "OOM kills": (FAIL, "a 1")}


def test_kills_from_before_the_run_are_not_held_against_it():
    samples = [each._replace(oom_kills=7, restarts=4) for each in seconds()]
    assert turned(run(samples)) == {}


@pytest.mark.parametrize(
    ("cpu_s", "outcome"), [(0.25 * (1 + SPARE_S) - 0.001, PASS), (0.25 * (1 + SPARE_S) + 0.001, FAIL)]
)
def test_a_second_may_hold_two_periods_more_of_cpu_and_nothing_beyond(cpu_s, outcome):
    before, after = seconds()[:4], seconds()[4:]
    jump = round((cpu_s + CARRIED_OVER_S * HOST.cpus) * S) - S // 10
    samples = before + [each._replace(cpu_us=each.cpu_us + jump) for each in after]
    assert outcomes(run(samples))["within limits"] is outcome


def test_a_little_too_much_all_the_time_is_too_much():
    """Each second by itself is within what a second may hold: over the run it is not."""
    samples = [each._replace(cpu_us=5 * S + round(1.1 * 0.25 * second * S)) for second, each in enumerate(seconds())]
    assert turned(run(samples)) == {"within limits": (FAIL, "CPU of a 107 %")}


@pytest.mark.parametrize(
    "samples",
    [
        [],
        [each for each in seconds() if each.at_us > START_US + S],
        [each for each in seconds() if each.at_us < START_US + 4 * S],
        [each for each in seconds() if not START_US < each.at_us < START_US + 4 * S],
    ],
    ids=["none", "late", "cut off", "with a hole"],
)
def test_where_nobody_looked_nothing_is_known(samples):
    assert outcomes(run(samples)) == dict.fromkeys(NAMES, INVALID)


def test_a_fault_that_was_seen_counts_although_nobody_looked_to_the_end():
    samples = [each for each in seconds(changed_from=2, health="unhealthy") if each.at_us < START_US + 4 * S]
    assert outcomes(run(samples)) == dict.fromkeys(NAMES, INVALID) | {"health": FAIL}


def test_a_service_that_was_never_seen_makes_the_run_invalid():
    assert set(outcomes(run(seconds(), services=("a", "b"))).values()) == {INVALID}


def test_kills_that_could_not_be_counted_are_unknown():
    assert turned(run([each._replace(oom_kills=-1) for each in seconds()])) == {
        OOM_KILLS.title: (INVALID, "cannot tell: not counted for a")
    }


def test_a_stack_that_enforces_nothing_is_judged_by_its_services_only():
    samples = [each._replace(cpu_limit=0.0, memory_limit_bytes=0, health="", oom_kills=-1) for each in seconds()]
    assert outcomes(run(samples, enforces=False)) == dict.fromkeys(NAMES, UNTESTED) | {"services": PASS}


def test_plain_locust_is_not_asked_about_a_stack():
    made = dataclasses.replace(run(seconds()), stack=None)
    assert outcomes(made) == {}


def test_usage_is_what_the_totals_grew_by():
    made = run(seconds())
    used = usage(made, intervals(made))
    assert used.round(6).to_dict("index") == {
        "a": {
            Column.SECONDS: 7.0,
            Column.CPU_S: 0.7,
            Column.CPU_PEAK: 0.1,
            Column.CPU_LIMIT: 0.25,
            Column.THROTTLED: 0.1,
            Column.MEMORY_PEAK_MIB: 64.0,
            Column.MEMORY_LIMIT_MIB: 128.0,
            Column.RECEIVED_MIB: 14.0,
            Column.SENT_MIB: 7.0,
            Column.READ_MIB: 0.0,
            Column.WRITTEN_MIB: 0.0,
            Column.ANSWERED: 6,
            Column.ANSWERED_PER_CPU_S: 8.571429,
        }
    }


def test_a_new_life_does_not_give_back_what_the_old_one_used():
    samples = seconds()[:4] + [each._replace(started_us=9, cpu_us=each.cpu_us - 5 * S) for each in seconds()[4:]]
    made = run(samples)
    assert usage(made, intervals(made))[Column.CPU_S]["a"] == pytest.approx(0.6)


def test_what_was_not_measured_is_not_zero():
    made = run([each._replace(received_bytes=-1, sent_bytes=-1) for each in seconds()])
    assert usage(made, intervals(made))[[Column.RECEIVED_MIB, Column.SENT_MIB]].isna().all(axis=None)
    assert pd.isna(intervals(made)[Column.RECEIVED]).all()
