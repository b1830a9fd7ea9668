"""The exactness of a run: every request is sent once, whatever its workers do, and its end says what is known."""

import os
from collections import Counter
from pathlib import Path

import gevent
import pytest

from locustfiles.generator.protocol import ABANDON, CLOSE, GRANT, OPEN
from scenarios.formats.columns import Column
from tests.builders.simulated_run import ledger, mark, run_module, simulated

RISE_AND_FALL = [
    {"name": "calm", "users": 10, "spawn_rate": 100, "until_requests": 50},
    {"name": "surge", "users": 25, "spawn_rate": 100, "until_requests": 350},
    {"name": "recovery", "users": 5, "spawn_rate": 100},
]
STEADY = [{"name": "steady", "users": 10, "spawn_rate": 100}]


def stages(simulation):
    """Requests by stage in the ledger, in which no request stands twice."""
    rows = ledger(simulation)
    assert len({row[Column.REQUEST_ID] for row in rows}) == len(rows)
    return Counter(row[Column.STAGE] for row in rows)


@pytest.fixture
def impatient(monkeypatch):
    """Runs that wait only shortly for what will not come, and longest for a sign of life."""
    for name, seconds in {"LAST_ANSWERS_WITHIN_S": 0.2, "LAST_ROWS_WITHIN_S": 0.2, "STALLED_AFTER_S": 2.0}.items():
        monkeypatch.setattr(run_module, name, seconds)


def answered(simulation, requests):
    return lambda: simulation.run.split.requests >= requests


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_run_with_workers_that_report_in_any_order_sends_each_request_of_each_stage_once(workers, seed, tmp_path):
    with simulated(tmp_path, RISE_AND_FALL, 400, workers, seed) as simulation:
        simulation.drive()
        assert simulation.run.end()
    assert stages(simulation) == {"calm": 50, "surge": 300, "recovery": 50}
    assert mark(simulation) == (True, "every request was answered")


@pytest.mark.parametrize("seed", range(3))
def test_worker_that_joins_late_gets_the_stage_and_a_part_of_the_requests(seed, tmp_path):
    with simulated(tmp_path, STEADY, 600, workers=1, seed=seed) as simulation:
        simulation.drive(answered(simulation, 50)).join("late")
        simulation.drive()
        assert simulation.run.end()
        assert simulation.sent(OPEN).count("late") == 1
        assert simulation.run.processes == 2
    prefixes = Counter(row[Column.REQUEST_ID].partition("-")[0] for row in ledger(simulation))
    assert len(prefixes) == 2
    assert prefixes.total() == 600


@pytest.mark.parametrize("seed", range(3))
def test_stage_that_lasts_a_time_gives_its_permits_to_the_next(seed, tmp_path):
    timed = [{"name": "timed", "users": 6, "spawn_rate": 100, "duration_s": 0.1}, *STEADY]
    with simulated(tmp_path, timed, 2000, workers=2, seed=seed) as simulation:
        simulation.drive(lambda: simulation.run.stage == "steady")
        in_time = simulation.run.split.requests
        simulation.drive()
        assert simulation.run.end()
    assert 0 < in_time < 1000
    assert stages(simulation) == {"timed": in_time, "steady": 2000 - in_time}


def test_stage_with_fewer_users_opens_when_the_surplus_is_gone_and_not_before(tmp_path):
    with simulated(tmp_path, RISE_AND_FALL, 400, workers=2) as simulation:
        simulation.drive(lambda: simulation.run.stage == "surge")
        simulation.limited, opened = lambda users: max(users, 25), simulation.sent(OPEN)
        simulation.drive(lambda: simulation.users == 5).drive_for(0.1)
        assert (simulation.run.stage, simulation.sent(OPEN)) == ("", opened)
        simulation.limited = lambda users: users
        simulation.drive()
        assert simulation.run.end()
    assert stages(simulation)["recovery"] == 50


def test_stage_with_one_request_for_each_user_waits_for_all_users(tmp_path):
    with simulated(tmp_path, STEADY, 10, workers=2) as simulation:
        simulation.limited = lambda users: users - 1
        simulation.drive_for(0.1)
        assert (simulation.run.split.requests, simulation.sent(GRANT)) == (0, [])
        simulation.limited = lambda users: users
        simulation.drive()
        assert simulation.run.end()


def test_rendezvous_grants_nothing_until_all_users_wait_and_then_one_request_each(tmp_path):
    together = [STEADY[0] | {"rendezvous": True}]
    with simulated(tmp_path, together, 400, workers=2) as simulation:
        simulation.limited = lambda users: users - 1
        simulation.answers.clear()
        simulation.drive_for(0.1)
        assert simulation.sent(GRANT) == []
        simulation.connected.clear()
        simulation.limited = lambda users: users
        simulation.drive_for(0.1)
        assert simulation.sent(GRANT) == []  # the last user is there, but does not wait for the others yet
        simulation.connected.set()
        simulation.drive_for(0.1)
        in_flight = [worker.permits.in_flight for worker in simulation.runner.workers.values()]
        assert in_flight == [5, 5]
        simulation.answers.set()
        simulation.drive()
        assert simulation.run.end()
    assert stages(simulation) == {"steady": 400}


@pytest.mark.usefixtures("impatient")
def test_worker_that_is_lost_ends_the_run_and_its_unreported_requests_are_counted(tmp_path):
    with simulated(tmp_path, STEADY, 4000, workers=2) as simulation:
        simulation.drive(answered(simulation, 500))
        lost = next(iter(simulation.runner.workers))
        leased = simulation.run._budget.leased(lost)
        received = simulation.run._records.rows[lost]
        simulation.runner.lose(lost)
        simulation.drive()
        assert not simulation.run.end()
    assert leased > received
    complete, reason = mark(simulation)
    assert (complete, reason) == (
        False,
        f"{lost} was lost, and whether {leased - received:,} of its requests were sent is not known",
    )
    assert 500 <= len(ledger(simulation)) < 4000


def test_run_that_is_stopped_records_every_answer_and_sends_nothing_more(tmp_path):
    with simulated(tmp_path, RISE_AND_FALL, 400, workers=2) as simulation:
        simulation.drive(answered(simulation, 100))
        simulation.run.stop("it was interrupted")
        simulation.run.stop("a later reason")
        simulation.drive()
        assert not simulation.run.end()
        taken = sum(worker.permits.answered for worker in simulation.runner.workers.values())
        assert [worker.permits.in_flight for worker in simulation.runner.workers.values()] == [0, 0]
        assert simulation.sent(ABANDON) == []
    assert 100 <= taken == len(ledger(simulation)) < 400
    assert mark(simulation) == (False, "it was interrupted")


def test_run_that_is_stopped_between_two_stages_opens_none_any_more(tmp_path):
    with simulated(tmp_path, RISE_AND_FALL, 400, workers=1) as simulation:
        simulation.drive(lambda: simulation.run.stage == "surge")
        simulation.limited = lambda users: max(users, 25)
        simulation.drive(lambda: simulation.users == 5)
        simulation.run.stop("it was interrupted")
        simulation.limited = lambda users: users
        simulation.drive_for(0.1)
        assert simulation.run.stage == ""
        assert not simulation.run.end()
    assert stages(simulation) == {"calm": 50, "surge": 300}


@pytest.mark.usefixtures("impatient")
def test_run_whose_answers_do_not_come_ends_them_after_a_while(tmp_path):
    with simulated(tmp_path, STEADY, 400, workers=2) as simulation:
        simulation.drive(answered(simulation, 100))
        simulation.answers.clear()
        simulation.drive_for(0.05)
        sent = sum(worker.permits.answered + worker.permits.in_flight for worker in simulation.runner.workers.values())
        simulation.run.stop("it was interrupted")
        simulation.drive()
        assert sorted(simulation.sent(ABANDON)) == ["worker 0", "worker 1"]
        assert not simulation.run.end()
    assert len(ledger(simulation)) == sent


def test_run_that_locust_stops_ends_for_that_reason_and_awaits_the_answers(tmp_path):
    with simulated(tmp_path, STEADY, 400, workers=1) as simulation:
        simulation.drive(answered(simulation, 100))
        simulation.shape.kill()
        simulation.answers.clear()
        simulation.shape = gevent.spawn(simulation.run.on_stopping)
        simulation.drive_for(0.1)
        assert not simulation.shape.dead
        simulation.answers.set()
        simulation.drive()
        assert not simulation.run.end()
        assert simulation.runner.workers["worker 0"].permits.answered == len(ledger(simulation))
    assert mark(simulation) == (False, "it was stopped")


@pytest.mark.usefixtures("impatient")
def test_run_without_any_sign_of_life_is_given_up(tmp_path):
    with simulated(tmp_path, STEADY, 400, workers=1) as simulation:
        simulation.drive(answered(simulation, 100))
        simulation.answers.clear()
        simulation.drive()
        assert not simulation.run.end()
    assert mark(simulation) == (False, "nothing was answered for 2 s")


def divert(path, device):
    """Let the open file at this path write to a device from now on."""
    opened = os.open(device, os.O_WRONLY)
    (number,) = (each.name for each in Path("/proc/self/fd").iterdir() if each.resolve() == path)
    os.dup2(opened, int(number))
    os.close(opened)
    return int(number)


def test_full_disk_ends_the_run_without_an_end_mark(tmp_path):
    with simulated(tmp_path, STEADY, 4000, workers=2) as simulation:
        simulation.drive(answered(simulation, 100))
        number = divert(simulation.directory.responses_path.resolve(), "/dev/full")
        simulation.drive()
        with Path(os.devnull).open("wb") as roomy:
            os.dup2(roomy.fileno(), number)  # there is room again, but not for what was lost
        with pytest.raises(OSError, match="No space left on device"):
            simulation.run.end()
        assert simulation.sent(CLOSE) == ["worker 0", "worker 1"]
    assert "No space left on device" in simulation.run.reason
    assert mark(simulation) is None


def test_end_of_a_run_with_failed_requests_is_complete_and_says_so(tmp_path):
    with simulated(tmp_path, STEADY, 40) as simulation:
        simulation.error = "refused"
        simulation.drive()
        assert simulation.run.end()
    assert mark(simulation) == (True, "every request has come to its end")
    assert simulation.run.is_over


def test_end_of_a_run_with_requests_left_is_not_complete(tmp_path):
    with simulated(tmp_path, STEADY, 40) as simulation:
        assert mark(simulation) is None
        assert not simulation.run.end()
    assert mark(simulation) == (False, "it ended before every request was sent")


def test_end_of_a_run_vouches_for_both_ledgers(tmp_path):
    with simulated(tmp_path, STEADY, 40) as simulation:
        simulation.drive()
        simulation.run.end()
    ledgers = simulation.directory.manifest().end.ledgers
    for path in (simulation.directory.responses_path, simulation.directory.generator_path):
        assert ledgers[path.name].bytes == path.stat().st_size > 100
