"""Whole runs: real Locust against the real stack, every request counted."""

import json
import signal
import subprocess
from collections import Counter

import pandas as pd
import psutil
import pytest

from scenarios.formats.columns import Column
from scenarios.spec.scenario import Scenario, names
from scenarios.stacks.local.stack import LocalStack
from scenarios.stacks.stack import PROJECT
from tests.builders.commands import analyse, locust, scenarios, words_of_locust
from tests.builders.free_ports import port_offset
from tests.builders.http import ask
from tests.builders.local_stacks import PORTS, forget, processes_of
from tests.builders.processes import completed, running, wait_for
from tests.builders.whole_runs import SMALL, broken, manifest, only, rows


@pytest.fixture(scope="module")
def stack():
    """One stack for all that only run on it."""
    stack = LocalStack(port_offset(*PORTS))
    with stack.up():
        yield stack
    forget(stack.port_offset)
    assert processes_of(stack.port_offset) == []


def requests_by_name(url):
    return {row["name"]: row["num_requests"] for row in ask(f"{url}/stats/requests").json["stats"]}


@pytest.mark.full
@pytest.mark.alone
@pytest.mark.parametrize(
    ("name", "processes"),
    [*((name, 1) for name in [name for name in names() if not Scenario.load(name).faults]), ("spike", 2)],
)
def test_every_scenario_at_its_true_size_passes_with_an_exact_split(name, processes, offset, reports):
    ended = scenarios("run", name, "--processes", processes, "--reports", reports, offset=offset)
    directory = only(reports, name)
    assert broken(directory) == {}
    if processes == 1:  # two that send together need two cores, which they may have to share here
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert f"{name}: PASS" in ended.stdout
    scenario, ledger = Scenario.load(name), rows(directory)
    assert len(ledger) == ledger[Column.REQUEST_ID].nunique() == scenario.requests
    assert (ledger[Column.STATUS] == 201).all()
    assert (ledger[Column.ERROR] == "").all()
    sixth = scenario.requests / 6
    counts = Counter(ledger[Column.HOST_TAG])
    assert all(abs(counts[tag] - part * sixth) <= 1 for tag, part in (("back-01", 1), ("back-02", 2), ("back-03", 3)))
    assert ledger[Column.REQUEST_ID].str.partition("-")[0].nunique() == processes
    balanced = pd.read_csv(directory / "balancer.csv")
    assert sorted(balanced[Column.REQUEST_ID]) == sorted(ledger[Column.REQUEST_ID])
    assert (ledger[Column.CONNECT_US] == 0).all()  # every user kept the connection that it had before its first request
    assert processes_of(offset) == []


def test_claim_given_is_judged_in_place_of_the_configuration(stack, reports):
    claim = "back-01=1,back-02=1,back-03=2"
    ended = scenarios("run", "baseline", *SMALL, "--claim", claim, "--reports", reports, offset=stack.port_offset)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    turned = broken(only(reports))
    assert {name for name, outcome in turned.items() if outcome == "FAIL"} >= {"split back-01", "split back-02"}
    assert manifest(only(reports))["claim"]["weights"] == {"back-01": 1, "back-02": 1, "back-03": 2}


def test_arithmetic_can_be_redone_with_the_commands_documented(stack, reports):
    assert scenarios("run", "baseline", *SMALL, "--reports", reports, offset=stack.port_offset).returncode in (0, 3)
    commands = (PROJECT / "docs" / "proof.md").read_text().partition("```sh\n")[2].partition("```")[0]
    ended = completed(["bash", "-c", commands], cwd=only(reports))
    assert ended.returncode == 0, ended.stderr
    counts, sums = [line.split() for line in ended.stdout.splitlines()], 3
    assert counts[:6] == 2 * [["100", "back-01"], ["200", "back-02"], ["300", "back-03"]]
    assert counts[6:-sums] == [["back-01", "100"], ["back-02", "200"], ["back-03", "300"]]
    ledgers = manifest(only(reports))["end"]["ledgers"]
    assert all(ledgers[name]["sha256"] == digest for digest, name in counts[-sums:])
    assert ended.stderr == ""


def test_stages_get_exactly_their_requests(offset, reports):
    scenarios("run", "spike", "--requests", 1000, "--users", 200, "--reports", reports, offset=offset)
    directory = only(reports, "spike")
    assert Counter(rows(directory)[Column.STAGE]) == {"calm": 50, "surge": 900, "recovery": 50}
    assert manifest(directory)["scaled"] is True


def test_run_on_a_stack_up_leaves_it_up(stack, reports):
    ended = scenarios("run", "baseline", *SMALL, "--reports", reports, offset=stack.port_offset)
    assert ended.returncode == 0
    assert "was up already" in ended.stdout
    assert stack.is_up()


@pytest.mark.full
def test_second_run_overwrites_nothing(stack, reports):
    for _ in range(2):
        scenarios("run", "baseline", *SMALL, "--reports", reports, offset=stack.port_offset)
    directories = [path for path in (reports / "baseline").iterdir() if not path.is_symlink()]
    assert len(directories) == 2
    assert not set(rows(directories[0])[Column.REQUEST_ID]) & set(rows(directories[1])[Column.REQUEST_ID])


def test_plain_locust_does_the_same_and_shows_a_row_per_backend(stack, tmp_path):
    ended = locust(stack, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "/models back-03" in ended.stderr
    assert "1,000 of 1,000 requests" in ended.stderr
    assert analyse(tmp_path).returncode == 0
    assert manifest(tmp_path)["stack"] == "external"


@pytest.mark.full
def test_two_processes_share_one_exact_budget(stack, tmp_path):
    ended = locust(stack, tmp_path, "--processes", 2, "--scale-requests", 5000, "--scale-users", 300, file="spike")
    assert ended.returncode == 0, ended.stderr
    ledger = rows(tmp_path)
    assert Counter(ledger[Column.STAGE]) == {"calm": 250, "surge": 4500, "recovery": 250}
    assert ledger[Column.REQUEST_ID].nunique() == 5000
    assert ledger[Column.REQUEST_ID].str.partition("-")[0].nunique() == 2
    assert manifest(tmp_path)["processes"] == 2
    analyse(tmp_path)
    assert broken(tmp_path) == {}


def test_directory_that_holds_a_run_is_refused(stack, tmp_path):
    locust(stack, tmp_path)
    ended = locust(stack, tmp_path)
    assert ended.returncode == 2
    assert "holds a run already, and nothing is overwritten" in ended.stderr
    assert len(rows(tmp_path)) == 1000


def test_run_with_closed_standard_error_goes_on(stack, tmp_path):
    options = ("--headless", "--only-summary", "--scale-requests", 12_000, "--report-directory", tmp_path)
    words = words_of_locust(stack.target, *options, file="locustfiles/sustained.py")
    with running(words, stderr=subprocess.PIPE, text=True) as process:
        process.stderr.close()
        process.wait(60)
    assert len(rows(tmp_path)) == 12_000
    assert manifest(tmp_path)["end"]["complete"] is True


def test_wrong_claim_fails(stack, tmp_path):
    locust(stack, tmp_path, "--claim", "back-01=2,back-02=2,back-03=3")
    ended = analyse(tmp_path)
    assert ended.returncode == 1
    failing = {
        check["name"]
        for check in json.loads((tmp_path / "verdict.json").read_text())["checks"]
        if check["outcome"] == "FAIL"
    }
    assert failing == {"split back-01", "split back-02", "split back-03"}


@pytest.mark.full
def test_web_interface_runs_it_again_and_each_run_is_exact(stack, tmp_path):
    port = 8089 + stack.port_offset
    url, options = f"http://127.0.0.1:{port}", ("--web-host", "127.0.0.1", "--web-port", port, "--reports", tmp_path)
    with running(words_of_locust(stack.target, *options), stdin=subprocess.DEVNULL) as process:
        wait_for(lambda: any(connection.laddr.port == port for connection in psutil.net_connections("tcp")))
        for total in (3000, 4000):
            assert ask(f"{url}/swarm", f"scale_requests={total}".encode()).json["success"]
            wait_for(lambda total=total: requests_by_name(url).get("Aggregated") == total)
            wait_for(lambda: ask(f"{url}/stats/requests").json["state"] == "stopped")
            assert requests_by_name(url)["Aggregated"] == total
            assert requests_by_name(url)["/models back-03"] == pytest.approx(total / 2, abs=1)
        process.send_signal(signal.SIGINT)
        process.wait(30)
    directories = sorted(path for path in (tmp_path / "baseline").iterdir() if not path.is_symlink())
    assert [len(rows(directory)) for directory in directories] == [3000, 4000]


def test_stage_may_last_a_time_and_the_whole_is_still_exact(stack, tmp_path):
    toml = tmp_path / "timed.toml"
    toml.write_text(
        'title = "Timed"\nclaim = "It holds."\nrequests = 12000\n'
        '[[stages]]\nname = "while"\nusers = 20\nspawn_rate = 100\nduration_s = 0.5\n'
        '[[stages]]\nname = "rest"\nusers = 10\nspawn_rate = 100\n'
    )
    file = tmp_path / "timed.py"
    file.write_text(
        "from pathlib import Path\n"
        "from locustfiles.generator.shape import ScenarioShape\n"
        "from locustfiles.generator.user import TargetUser\n"
        "from scenarios.spec.scenario import Scenario\n"
        "class Timed(ScenarioShape):\n"
        "    def scenario(self):\n"
        f"        return Scenario.read(Path({str(toml)!r}))\n"
    )
    directory = tmp_path / "report"
    options = ("--headless", "--only-summary", "--report-directory", directory)
    ended = completed(words_of_locust(stack.target, *options, file=file))
    assert ended.returncode == 0, ended.stderr
    ledger = rows(directory)
    assert len(ledger) == 12_000
    timed = ledger[ledger[Column.STAGE] == "while"]
    assert 0 < len(timed) < 12_000
    assert (timed[Column.SENT_US].max() - timed[Column.SENT_US].min()) / 1e6 == pytest.approx(0.5, abs=0.3)
