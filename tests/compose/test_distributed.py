"""A master and its workers in containers, as the runbook starts them."""

import os
from collections import Counter

import pytest

from tests.builders.commands import analyse
from tests.builders.http import ask
from tests.builders.processes import wait_for
from tests.builders.whole_runs import manifest, only, rows

WORKERS = 3


@pytest.fixture
def url(stack, compose, reports):
    """The web interface of a master with workers, beside a stack that is up."""
    reports.mkdir()
    settings = {"REPORTS": str(reports), "CALLER": f"{os.getuid()}:{os.getgid()}"}
    up = ("up", "-d", "--build", "--scale", f"locust-worker={WORKERS}", "locust-master", "locust-worker")
    started = compose("--profile", "workers", *up, env=settings)
    assert started.returncode == 0, started.stderr
    yield f"http://127.0.0.1:{8089 + stack.port_offset}"
    compose("--profile", "workers", "rm", "--stop", "--force", "locust-master", "locust-worker", env=settings)


def test_workers_in_containers_share_one_exact_budget(url, reports):
    wait_for(lambda: ready(url) == WORKERS)
    assert ask(f"{url}/swarm", b"").json["success"]
    wait_for((reports / "baseline" / "latest").exists)
    directory = only(reports)
    assert manifest(directory)["processes"] == WORKERS
    ledger = rows(directory)
    assert len(ledger) == ledger["request_id"].nunique() == 1000
    assert len(Counter(ledger["request_id"].str.partition("-")[0])) == WORKERS
    assert analyse(directory).returncode == 0


def ready(url):
    try:
        return sum(worker["state"] == "ready" for worker in ask(f"{url}/stats/requests").json["workers"])
    except (OSError, ValueError):
        return 0
