"""Whole runs, as a person starts them: real Locust against the real stack, every request counted."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections import Counter

import pandas as pd
import psutil
import pytest

from scenarios.definition import Scenario, names
from scenarios.stacks.local import LocalStack
from tests.conftest import PROJECT, ask, processes_of, scenarios, wait_for

SMALL = ("--requests", 600, "--users", 60)


def only(reports, scenario="baseline"):
    """The one report directory of a scenario."""
    (directory,) = (path for path in (reports / scenario).iterdir() if path.name != "latest")
    return directory


def rows(directory):
    return pd.read_csv(directory / "responses.csv", keep_default_na=False)


def manifest(directory):
    return json.loads((directory / "manifest.json").read_text())


def answered(reports, scenario):
    """Bytes of the client's ledger so far: above zero once the run is well under way."""
    return sum(path.stat().st_size for path in (reports / scenario).glob("*/responses.csv"))


@pytest.fixture
def running(offset, reports):
    """A run of sustained that is well under way."""
    command = [sys.executable, "-m", "scenarios", "--port-offset", str(offset), "run", "sustained"]
    process = subprocess.Popen(
        [*command, "--reports", str(reports)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for(lambda: answered(reports, "sustained") > 10_000)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def locust_of(process):
    return next(child for child in psutil.Process(process.pid).children() if "locust" in child.cmdline())


@pytest.mark.parametrize("name", sorted(names(), key=lambda name: Scenario.load(name).requests))
def test_every_scenario_at_its_true_size_passes_with_an_exact_split(name, offset, reports):
    ended = scenarios("run", name, "--reports", reports, offset=offset)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{name}: PASS" in ended.stdout
    directory = only(reports, name)
    scenario, ledger = Scenario.load(name), rows(directory)
    assert len(ledger) == ledger["request_id"].nunique() == scenario.requests
    assert (ledger["status"] == 201).all()
    assert (ledger["error"] == "").all()
    sixth = scenario.requests / 6
    counts = Counter(ledger["host_tag"])
    assert all(abs(counts[tag] - part * sixth) <= 1 for tag, part in (("back-01", 1), ("back-02", 2), ("back-03", 3)))
    assert processes_of(offset) == []


def test_stages_get_exactly_their_requests(offset, reports):
    scenarios("run", "spike", "--requests", 1000, "--users", 200, "--reports", reports, offset=offset)
    directory = only(reports, "spike")
    assert Counter(rows(directory)["stage"]) == {"calm": 50, "surge": 900, "recovery": 50}
    assert manifest(directory)["scaled"] is True


def test_a_run_leaves_a_stack_up_that_was_up(stack, reports):
    ended = scenarios("run", "baseline", *SMALL, "--reports", reports, offset=stack.port_offset)
    assert ended.returncode == 0
    assert "was up already" in ended.stdout
    assert stack.is_up()


def test_a_second_run_overwrites_nothing(stack, reports):
    for _ in range(2):
        scenarios("run", "baseline", *SMALL, "--reports", reports, offset=stack.port_offset)
    directories = [path for path in (reports / "baseline").iterdir() if not path.is_symlink()]
    assert len(directories) == 2
    assert not set(rows(directories[0])["request_id"]) & set(rows(directories[1])["request_id"])


def locust(stack, directory, *arguments, file="baseline", **options):
    """Plain Locust, without the runner."""
    command = [sys.executable, "-m", "locust", "-f", f"locustfiles/{file}.py", "--host", stack.target]
    return subprocess.run(
        [*command, "--headless", "--only-summary", "--report-directory", str(directory), *map(str, arguments)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


def analyse(directory):
    command = [sys.executable, "-m", "analysis", str(directory)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def test_plain_locust_does_the_same_and_shows_a_row_per_backend(stack, tmp_path):
    ended = locust(stack, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "/models back-03" in ended.stderr
    assert "1,000 of 1,000 requests" in ended.stderr
    assert analyse(tmp_path).returncode == 0
    assert manifest(tmp_path)["stack"] == "external"


def test_two_processes_share_one_exact_budget(stack, tmp_path):
    ended = locust(stack, tmp_path, "--processes", 2, "--scale-requests", 5000, "--scale-users", 300, file="spike")
    assert ended.returncode == 0, ended.stderr
    ledger = rows(tmp_path)
    assert Counter(ledger["stage"]) == {"calm": 250, "surge": 4500, "recovery": 250}
    assert ledger["request_id"].nunique() == 5000
    assert ledger["request_id"].str.partition("-")[0].nunique() == 2
    assert manifest(tmp_path)["processes"] == 2
    assert analyse(tmp_path).returncode == 0


def test_a_directory_that_holds_a_run_is_refused(stack, tmp_path):
    locust(stack, tmp_path)
    ended = locust(stack, tmp_path)
    assert ended.returncode == 2
    assert "holds a run already, and nothing is overwritten" in ended.stderr
    assert len(rows(tmp_path)) == 1000


def test_whoever_stops_reading_the_progress_does_not_stop_the_run(stack, tmp_path):
    command = [sys.executable, "-m", "locust", "-f", "locustfiles/sustained.py", "--host", stack.target, "--headless"]
    command += ["--only-summary", "--scale-requests", "12000", "--report-directory", str(tmp_path)]
    with subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.close()
        process.wait(60)
    assert len(rows(tmp_path)) == 12_000
    assert manifest(tmp_path)["end"]["complete"] is True


def test_a_wrong_claim_fails(stack, tmp_path):
    locust(stack, tmp_path, "--claim", "back-01=2,back-02=2,back-03=3")
    ended = analyse(tmp_path)
    assert ended.returncode == 1
    failing = {
        check["name"]
        for check in json.loads((tmp_path / "verdict.json").read_text())["checks"]
        if check["outcome"] == "FAIL"
    }
    assert failing == {"split back-01", "split back-02", "split back-03"}


def test_the_web_interface_runs_it_again_and_again_each_run_exact(stack, tmp_path):
    port = 8089 + stack.port_offset
    command = [sys.executable, "-m", "locust", "-f", "locustfiles/baseline.py", "--host", stack.target]
    command += ["--web-host", "127.0.0.1", "--web-port", str(port), "--reports", str(tmp_path)]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(lambda: any(connection.laddr.port == port for connection in psutil.net_connections("tcp")))
            for total in (3000, 4000):
                assert ask(f"{url}/swarm", f"scale_requests={total}".encode()).json["success"]
                wait_for(lambda total=total: requests_by_name(url).get("Aggregated") == total)
                wait_for(lambda: ask(f"{url}/stats/requests").json["state"] == "stopped")
                assert requests_by_name(url)["Aggregated"] == total
                assert requests_by_name(url)["/models back-03"] == pytest.approx(total / 2, abs=1)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
    directories = sorted(path for path in (tmp_path / "baseline").iterdir() if not path.is_symlink())
    assert [len(rows(directory)) for directory in directories] == [3000, 4000]


def requests_by_name(url):
    return {row["name"]: row["num_requests"] for row in ask(f"{url}/stats/requests").json["stats"]}


def test_a_stage_may_last_a_time_and_the_whole_is_still_exact(stack, tmp_path):
    toml = tmp_path / "timed.toml"
    toml.write_text(
        'title = "Timed"\nclaim = "It holds."\nrequests = 3000\n'
        '[[stages]]\nname = "while"\nusers = 20\nspawn_rate = 100\nduration_s = 0.5\n'
        '[[stages]]\nname = "rest"\nusers = 10\nspawn_rate = 100\n'
    )
    file = tmp_path / "timed.py"
    file.write_text(
        "from pathlib import Path\n"
        "from locustfiles.shape import ScenarioShape\n"
        "from locustfiles.user import ModelsUser\n"
        "from scenarios.definition import Scenario\n"
        "class Timed(ScenarioShape):\n"
        "    def scenario(self):\n"
        f"        return Scenario.read(Path({str(toml)!r}))\n"
    )
    command = [sys.executable, "-m", "locust", "-f", str(file), "--host", stack.target, "--headless", "--only-summary"]
    directory = tmp_path / "report"
    ended = subprocess.run(
        [*command, "--report-directory", str(directory)], cwd=PROJECT, capture_output=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    ledger = rows(directory)
    assert len(ledger) == 3000
    timed = ledger[ledger["stage"] == "while"]
    assert 0 < len(timed) < 3000
    assert (timed["sent_us"].max() - timed["sent_us"].min()) / 1e6 == pytest.approx(0.5, abs=0.3)


# -- what goes wrong


def test_a_disk_that_is_full_ends_the_run_and_says_so(stack, tmp_path):
    """A limit on the size of files stands in for the disk: writing fails in the same place, with another number."""
    ended = locust(stack, tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)))
    assert ended.returncode == 2
    assert "File too large" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert analyse(tmp_path).returncode == 2


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_told_to_stop_ends_in_order(running, offset, reports, number, code):
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


def test_a_generator_that_is_killed_leaves_a_directory_that_is_refused(running, offset):
    locust_of(running).kill()
    _, said = running.communicate(timeout=60)
    assert running.returncode == 2
    assert "the run was cut off before its end mark was set" in said
    assert processes_of(offset) == []


def test_a_balancer_that_dies_fails_the_run_and_every_request_is_accounted_for(running, offset, reports):
    nginx = next(process for process in LocalStack(offset).processes() if process.name == "nginx")
    for process in nginx.family():
        process.kill()
    out, said = running.communicate(timeout=120)
    assert running.returncode == 1, out + said
    ledger = rows(only(reports, "sustained"))
    assert len(ledger) == 50_000
    assert (ledger["error"] != "").sum() > 1000
    assert ledger["error"].str.contains("ConnectionRefused").any()


def test_a_runner_that_is_killed_takes_the_stack_with_it(running, offset):
    processes = LocalStack(offset).processes()
    generator = locust_of(running)
    running.kill()
    running.wait()
    psutil.wait_procs([process.process for process in processes if process.process] + [generator], timeout=60)
    assert [process.name for process in processes if process.process] == []
    assert not generator.is_running()


def test_workers_of_a_balancer_that_lost_its_master_are_stopped_too(running, offset):
    nginx = next(process for process in LocalStack(offset).processes() if process.name == "nginx")
    workers = nginx.process.children()
    nginx.process.kill()
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE] == []


def test_the_stack_of_a_run_cannot_be_stopped_under_it(running, offset):
    ended = scenarios("down", offset=offset)
    assert ended.returncode == 2
    assert ended.stderr == "scenarios: another command is using the local stack: wait for it to end\n"
    assert running.poll() is None


def test_two_runs_at_once_would_spoil_each_other(running, offset, reports):
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
        (["run", "baseline", "--users=-5"], "scenarios: USERS is '-5', and should be a whole number"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(arguments, sentence, offset, reports):
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


def test_a_low_soft_limit_is_raised(offset, reports):
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
