"""The real nginx, configured to balance by one method after the other, and what its fingerprint says."""

import json
import signal
import subprocess
import sys
from contextlib import suppress

import pandas as pd
import psutil
import pytest

from scenarios.formats.columns import Column
from scenarios.run.fingerprint import fingerprint
from scenarios.run.runner import Load, run
from scenarios.spec.balancer import Algorithm
from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import Scenario
from scenarios.stacks.local.stack import CONF, LocalStack
from tests.builders.commands import scenarios, scenarios_begun
from tests.builders.http import ask
from tests.builders.processes import completed, running, wait_for

ZONE = "zone models 256k;"


def configured(tmp_path, method):
    """The project's configuration with another method in place of its `zone`."""
    conf = tmp_path / "nginx.conf"
    assert ZONE in CONF.read_text()
    conf.write_text(CONF.read_text().replace(ZONE, method))
    return conf


def taken(reports):
    """What the only fingerprint there is says."""
    (directory,) = (reports / "fingerprint").iterdir()
    return directory, json.loads((directory / "fingerprint.json").read_text())


def outcomes(found):
    return {each["algorithm"]: each["outcome"] for each in found["hypotheses"]}


@pytest.mark.parametrize(
    ("method", "algorithm"),
    [
        (ZONE, Algorithm.SHARED),
        pytest.param("", Algorithm.PER_WORKER, marks=pytest.mark.full),
        (f"{ZONE} least_conn;", Algorithm.LEAST_CONNECTIONS),
        pytest.param(f"{ZONE} ip_hash;", Algorithm.ADDRESS_HASH, marks=pytest.mark.full),
    ],
)
def test_balancer_configured_so_looks_so(offset, tmp_path, reports, method, algorithm):
    assert fingerprint(LocalStack(offset, conf=configured(tmp_path, method)), reports) == 0
    _, found = taken(reports)
    assert outcomes(found) == {each: "fits" if each == algorithm else "excluded" for each in Algorithm}


@pytest.mark.full
def test_second_fingerprint_of_the_same_balancer_says_the_same(offset, tmp_path, reports):
    stack = LocalStack(offset, conf=configured(tmp_path, f"{ZONE} least_conn;"))
    with stack.up():
        assert [fingerprint(stack, reports) for _ in range(2)] == [0, 0]


@pytest.mark.full
def test_random_balancer_looks_random_but_for_one_time_in_a_thousand(offset, tmp_path, reports):
    stack = LocalStack(offset, conf=configured(tmp_path, f"{ZONE} random;"))
    codes = [fingerprint(stack, reports)]
    if codes == [1]:
        codes.append(fingerprint(stack, reports))  # this often twice: one time in a million
    assert codes[-1] == 0


@pytest.mark.full
def test_another_hash_is_not_taken_for_one_of_the_address(offset, tmp_path, reports):
    """The same uri, always the same backend, from any address."""
    assert fingerprint(LocalStack(offset, conf=configured(tmp_path, f"{ZONE} hash $request_uri;")), reports) == 3
    _, found = taken(reports)
    assert outcomes(found).pop(Algorithm.ADDRESS_HASH) == "not separable"
    assert "another algorithm that always picks one backend; the configuration says none of them" in found["sentence"]


def test_run_against_another_method_is_refused_in_one_sentence_and_leaves_nothing(offset, tmp_path, reports):
    stack = LocalStack(offset, conf=configured(tmp_path, f"{ZONE} least_conn;"))
    with pytest.raises(UsageError, match=r"nginx\.conf:\d+: `least_conn`: only weighted round-robin, "):
        run(Scenario.load("baseline"), stack, reports, Load(requests=100, users=10))
    assert list((reports / "baseline").iterdir()) == []


def test_fingerprint_leaves_a_row_per_request_and_its_conclusion(offset, reports):
    ended = scenarios("fingerprint", "--reports", reports, offset=offset)
    assert (ended.returncode, ended.stderr) == (0, "asking: some seconds\n")
    directory, found = taken(reports)
    assert f"It looks like {Algorithm.SHARED}, as the configuration says." in ended.stdout
    rows = pd.read_csv(directory / "probe.csv")
    assert rows.groupby(Column.PHASE).size().to_dict() == {
        "settling": 120,
        "sequential": 120,
        "addresses": 48,
        "slowed": 24,
    }
    assert rows[Column.REQUEST_ID].is_unique
    assert (rows[Column.STATUS] == 201).all()
    assert rows[Column.PID].nunique() == 2
    assert rows[rows[Column.PHASE] == "addresses"][Column.SOURCE].nunique() == 24
    assert set(rows[rows[Column.PHASE] != "addresses"][Column.SOURCE]) == {"127.0.0.1"}
    slowed = rows[rows[Column.PHASE] == "slowed"]
    assert slowed[Column.SENT_US].max() - slowed[Column.SENT_US].min() < 2e6
    assert slowed.groupby(Column.HOST_TAG)[Column.LATENCY_US].min()["back-03"] > 20_000
    assert list(pd.read_csv(directory / "fingerprint.csv")["algorithm"]) == [
        each["algorithm"] for each in found["hypotheses"]
    ]
    again = analysed(directory)
    assert (again.returncode, found["sentence"] in again.stdout) == (0, True)


def test_probe_cut_off_or_damaged_is_refused(tmp_path):
    ended = analysed(tmp_path)
    assert (ended.returncode, ended.stderr) == (2, f"analysis: {tmp_path}/probe.json: No such file or directory\n")
    (tmp_path / "probe.json").write_text("{}")
    assert "probe.json: is damaged: Field required" in analysed(tmp_path).stderr


def analysed(directory):
    return completed([sys.executable, "-m", "analysis.fingerprint", directory])


def test_foreign_requests_during_a_fingerprint_are_noticed(stack, reports, monkeypatch):
    access_log_bytes = stack.access_log_bytes

    def access_log_bytes_before_a_stranger_comes():
        start = access_log_bytes()
        ask(stack.url)
        return start

    monkeypatch.setattr(stack, "access_log_bytes", access_log_bytes_before_a_stranger_comes)
    assert fingerprint(stack, reports) == 3
    assert taken(reports)[1]["sentence"].endswith("requests of other clients meanwhile: 1.")


def test_paused_service_goes_on_after_any_end_of_the_body(stack):
    process = next(known.process for known in stack.processes() if known.name == "back-02")
    with suppress(ZeroDivisionError), stack.fault_actions().paused("back-02"):
        wait_for(lambda: process.status() == psutil.STATUS_STOPPED)
        raise ZeroDivisionError
    wait_for(lambda: process.status() != psutil.STATUS_STOPPED)
    assert {ask(stack.url).headers["x-host-tag"] for _ in range(6)} == {"back-01", "back-02", "back-03"}


def test_missing_service_cannot_be_paused(stack):
    with pytest.raises(UsageError, match="back-04 does not run"), stack.fault_actions().paused("back-04"):
        pass


PAUSES = """
import sys, time
from scenarios.cli.signals import Interrupted, SignalHandlers
from scenarios.stacks.local.stack import LocalStack
SignalHandlers().install()
try:
    with LocalStack(int(sys.argv[1])).fault_actions().paused("back-03"):
        print("paused", flush=True)
        time.sleep(0.5)
except Interrupted as interrupted:
    sys.exit(interrupted.exit_code)
"""


def test_ctrl_c_while_a_backend_is_paused_leaves_it_running(stack):
    process = next(known.process for known in stack.processes() if known.name == "back-03")
    with running([sys.executable, "-c", PAUSES, stack.port_offset], stdout=subprocess.PIPE, text=True) as pausing:
        assert pausing.stdout.readline() == "paused\n"
        wait_for(lambda: process.status() == psutil.STATUS_STOPPED or pausing.poll() is not None)
        pausing.send_signal(signal.SIGINT)
        assert pausing.wait(30) == 130
    assert process.status() != psutil.STATUS_STOPPED


def test_ctrl_c_during_a_fingerprint_leaves_the_stack_and_no_report(stack, reports):
    with scenarios_begun("fingerprint", "--reports", reports, offset=stack.port_offset) as probing:
        assert probing.stderr.readline() == "asking: some seconds\n"
        probing.send_signal(signal.SIGINT)
        assert probing.wait(30) == 130
    assert stack.is_up()
    assert {known.process.status() for known in stack.processes()}.isdisjoint({psutil.STATUS_STOPPED})
    assert list((reports / "fingerprint").iterdir()) == []
