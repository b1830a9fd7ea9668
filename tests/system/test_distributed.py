"""A master and its workers: one exact budget, also when one joins late, and no quiet pass when one is lost."""

import csv
import json
import re
import subprocess
import sys

import pytest

from scenarios.formats.rows import Balanced
from tests.builders.commands import analyse
from tests.builders.free_ports import port_offset
from tests.builders.http import ask
from tests.builders.processes import running, wait_for
from tests.builders.whole_runs import broken, judged, manifest, rows


@pytest.fixture
def port():
    return 5557 + port_offset(5557)


def locust(*arguments, file="sustained"):
    words = [sys.executable, "-m", "locust", "-f", f"locustfiles/{file}.py", *arguments]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return running(words, **pipes, text=True)


def worker(port, **options):
    return locust("--worker", "--master-host", "127.0.0.1", "--master-port", port, **options)


def master(stack, port, directory, *arguments, workers=2, requests=10_000):
    where = ("--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--host", stack.target)
    load = ("--scale-requests", requests, "--scale-users", 200, "--expect-workers", workers)
    return locust("--master", "--headless", *where, *load, "--report-directory", directory, *arguments)


def ids_logged(stack):
    with (stack.directory / "access.csv").open(newline="") as log:
        return [row[Balanced._fields.index("request_id")] for row in csv.reader(log)]


def test_record_of_the_master_is_that_of_workers_and_balancer(stack, port, tmp_path):
    with master(stack, port, tmp_path) as leading, worker(port), worker(port):
        said, _ = leading.communicate(timeout=60)
    assert leading.returncode == 0, said
    ledger = rows(tmp_path)
    assert len(ledger) == 10_000
    assert sorted(ledger["request_id"]) == sorted(ids_logged(stack))
    assert ledger["request_id"].str.partition("-")[0].nunique() == 2
    assert re.search(r"Aggregated +10000 ", said)
    analyse(tmp_path)
    assert broken(tmp_path) == {}


def test_killed_worker_makes_the_run_invalid_and_says_what_is_unknown(stack, port, tmp_path):
    with master(stack, port, tmp_path, requests=50_000) as leading, worker(port), worker(port) as victim:
        wait_for(lambda: (tmp_path / "responses.csv").exists() and (tmp_path / "responses.csv").stat().st_size > 10_000)
        victim.kill()
        said, _ = leading.communicate(timeout=60)
    assert leading.returncode == 3, said
    assert "of its requests were sent is not known" in manifest(tmp_path)["end"]["reason"]
    ledger = rows(tmp_path)
    assert 0 < len(ledger) < 50_000
    assert not ledger["request_id"].duplicated().any()
    found = judged(tmp_path)
    assert found["requests"]["outcome"] == "INVALID"
    assert "was lost" in found["requests"]["observed"]
    assert found["split back-01"]["outcome"] == "INVALID"


@pytest.mark.full
def test_only_worker_killed_ends_the_run(stack, port, tmp_path):
    with master(stack, port, tmp_path, workers=1, requests=50_000) as leading, worker(port) as victim:
        wait_for(lambda: (tmp_path / "responses.csv").exists() and (tmp_path / "responses.csv").stat().st_size > 10_000)
        victim.kill()
        said, _ = leading.communicate(timeout=60)
    assert leading.returncode == 3, said
    assert "was lost" in manifest(tmp_path)["end"]["reason"]


@pytest.mark.full
def test_worker_that_joins_late_takes_its_part_and_no_request_is_lost(stack, port, tmp_path):
    with master(stack, port, tmp_path, workers=1, requests=40_000) as leading, worker(port):
        wait_for(lambda: (tmp_path / "responses.csv").exists() and (tmp_path / "responses.csv").stat().st_size > 10_000)
        with worker(port):
            said, _ = leading.communicate(timeout=90)
    assert leading.returncode == 0, said
    ledger = rows(tmp_path)
    assert sorted(ledger["request_id"]) == sorted(ids_logged(stack))
    assert len(ledger) == 40_000
    assert ledger["request_id"].str.partition("-")[0].nunique() == 2
    found = judged(tmp_path)
    assert found["processes"]["observed"] == "2, 1 of them joined later"
    assert found["split back-03"]["outcome"] == "PASS"


def test_web_interface_of_a_master_runs_it_again_and_again(stack, port, tmp_path):
    url = f"http://127.0.0.1:{port + 1}"
    web = ("--web-host", "127.0.0.1", "--web-port", port + 1, "--reports", tmp_path)
    bind = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--host", stack.target)
    with locust(*bind, *web, file="baseline"), worker(port, file="baseline"), worker(port, file="baseline"):
        wait_for(lambda: workers_at(url) == 2)
        for total in (2000, 3000):
            assert ask(f"{url}/swarm", f"scale_requests={total}".encode()).json["success"]
            wait_for(lambda total=total: ended(tmp_path, total))
            assert ask(f"{url}/stats/requests").json["stats"][-1]["num_requests"] == total
            wait_for(lambda: workers_at(url) == 2)
    directories = sorted(path for path in (tmp_path / "baseline").iterdir() if not path.is_symlink())
    assert [len(rows(directory)) for directory in directories] == [2000, 3000]


def workers_at(url):
    try:
        nodes = ask(f"{url}/stats/requests").json["workers"]
    except (OSError, ValueError):
        return 0
    return sum(node["state"] == "ready" for node in nodes)


def ended(reports, requests):
    runs = [path for path in reports.glob("baseline/*/manifest.json") if not path.parent.is_symlink()]
    return any(
        (read := json.loads(path.read_text()))["end"] and read["scenario"]["requests"] == requests for path in runs
    )
