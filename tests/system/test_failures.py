"""Runs that go wrong: what is said, which exit code follows, and what is left."""

import os
import resource
import signal

import psutil
import pytest

from scenarios.formats.columns import Column
from scenarios.stacks.local.stack import LocalStack
from tests.builders.commands import analyse, locust, scenarios, scenarios_begun
from tests.builders.local_stacks import processes_of
from tests.builders.processes import wait_for
from tests.builders.whole_runs import SMALL, answered, manifest, only, rows


@pytest.fixture
def running(offset, reports):
    """A run of sustained that is well under way."""
    with scenarios_begun("run", "sustained", "--reports", reports, offset=offset) as process:
        wait_for(lambda: answered(reports) > 10_000 or process.poll() is not None)
        yield process


def locust_of(process):
    return next(child for child in psutil.Process(process.pid).children() if "locust" in child.cmdline())


def test_full_disk_ends_the_run_and_says_so(stack, tmp_path):
    """A limit on the size of files stands in for the disk: writing fails in the same place, with another number."""
    ended = locust(stack, tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)))
    assert ended.returncode == 2
    assert "File too large" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert analyse(tmp_path).returncode == 2


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.full)]
)
def test_run_told_to_stop_ends_in_order(running, offset, reports, number, code):
    os.killpg(running.pid, number) if number == signal.SIGINT else running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert running.returncode == code
    assert "stopped; what was recorded is in" in said
    assert "Traceback" not in said
    directory = only(reports, "sustained")
    assert manifest(directory)["end"]["complete"] is False
    assert analyse(directory).returncode == 3
    assert not (reports / "sustained" / "latest").exists()
    assert processes_of(offset) == []


def test_killed_generator_leaves_a_directory_that_is_refused(running, offset):
    locust_of(running).kill()
    _, said = running.communicate(timeout=60)
    assert running.returncode == 2
    assert "the run was cut off before its end mark was set" in said
    assert processes_of(offset) == []


def test_balancer_that_dies_fails_the_run_and_every_request_is_accounted_for(running, offset, reports):
    nginx = next(process for process in LocalStack(offset).processes() if process.name == "nginx")
    for process in nginx.family():
        process.kill()
    out, said = running.communicate(timeout=120)
    assert running.returncode == 1, out + said
    ledger = rows(only(reports, "sustained"))
    assert len(ledger) == 50_000
    assert (ledger[Column.ERROR] != "").sum() > 1000
    assert ledger[Column.ERROR].str.contains("ConnectionRefused").any()


def test_killed_runner_takes_the_stack_with_it(running, offset):
    processes = LocalStack(offset).processes()
    generator = locust_of(running)
    running.kill()
    running.wait(10)
    psutil.wait_procs([process.process for process in processes if process.process] + [generator], timeout=60)
    assert [process.name for process in processes if process.process] == []
    assert not generator.is_running()


@pytest.mark.full
def test_workers_of_a_balancer_that_lost_its_master_are_stopped_too(running, offset):
    nginx = next(process for process in LocalStack(offset).processes() if process.name == "nginx")
    workers = nginx.process.children()
    nginx.process.kill()
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE] == []


def test_stack_of_a_run_cannot_be_stopped_under_it(running, offset):
    ended = scenarios("down", offset=offset)
    assert ended.returncode == 2
    assert ended.stderr == "scenarios: another command is using the local stack: wait for it to end\n"
    assert running.poll() is None


def test_second_run_at_once_is_refused(running, offset, reports):
    ended = scenarios("run", "baseline", "--reports", reports, offset=offset)
    assert ended.returncode == 2
    assert ended.stderr == "scenarios: another command is using the local stack: wait for it to end\n"
    assert running.poll() is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "spkie"], "scenarios: no scenario 'spkie', did you mean spike?"),
        (["run", "baseline", "--requests", "many"], "scenarios: REQUESTS is 'many', and should be a whole number"),
        (["run", "baseline", "--requests", "0"], "scenarios: REQUESTS is '0', and should be a whole number"),
        (["run", "baseline", "--requests", "9" * 400], "scenarios: REQUESTS is '999"),
        (["run", "baseline", "--requests", "10"], "scenarios: baseline scaled to requests=10"),
        (["run", "baseline", "--processes", "0"], "scenarios: PROCESSES is '0', and should be a whole number"),
        (["run", "baseline", "--users", "3", "--processes", "4"], "scenarios: 4 processes for 3 users: some would"),
        (["run", "baseline", "--claim", "back-01=two"], "scenarios: claim 'back-01=two' is not of the form"),
        (["run", "baseline", "--claim", "nginx.conf"], "scenarios: claim 'nginx.conf' is not of the form"),
        (["run", "baseline", "--users=-5"], "scenarios: USERS is '-5', and should be a whole number"),
    ],
)
def test_arguments_without_sense_are_refused_before_anything_starts(arguments, sentence, offset, reports):
    ended = scenarios(*arguments, "--reports", reports, offset=offset)
    assert ended.returncode == 2
    assert ended.stderr.startswith(sentence)
    assert ended.stderr.count("\n") == 1
    assert not reports.exists()
    assert not LocalStack(offset).directory.exists()


def test_too_few_open_files_say_how_many_are_needed(offset, reports):
    ended = scenarios(
        "run",
        "spike",
        "--reports",
        reports,
        offset=offset,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096)),
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("scenarios: 10,000 users need 13,000 open files, and the limit here is 4,096")
    assert not reports.exists()


@pytest.mark.full
def test_low_soft_limit_is_raised(offset, reports):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    ended = scenarios(
        "run",
        "baseline",
        *SMALL,
        "--reports",
        reports,
        offset=offset,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard)),
    )
    assert ended.returncode == 0
    assert manifest(only(reports))["host"]["open_files_limit"] == hard


def test_reports_that_cannot_be_written_are_refused(offset, tmp_path):
    (tmp_path / "file").write_text("in the way")
    ended = scenarios("run", "baseline", "--reports", tmp_path / "file", offset=offset)
    assert ended.returncode == 2
    assert ended.stderr.startswith("scenarios: ")
    assert "Traceback" not in ended.stderr
    assert processes_of(offset) == []


def test_run_stopped_before_it_began_leaves_nothing(offset, reports):
    with scenarios_begun("run", "baseline", "--reports", reports, offset=offset) as process:
        assert "baseline" in process.stdout.readline()
        assert "local stack started" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (143, "scenarios: interrupted\n")
    assert sorted(path.name for path in (reports / "baseline").glob("*/*")) == []
    assert processes_of(offset) == []
