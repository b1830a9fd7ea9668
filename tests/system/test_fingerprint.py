"""The real nginx, configured to balance by one method after the other, and what its fingerprint says."""

import json
import signal
import subprocess
import sys
from contextlib import suppress

import pandas as pd
import psutil
import pytest

from scenarios.definition import Scenario
from scenarios.errors import UsageError
from scenarios.fingerprint import fingerprint
from scenarios.probe_record import Algorithm
from scenarios.runner import Load, run
from scenarios.stacks.local import CONF, LocalStack
from tests.conftest import PROJECT, ask, scenarios, wait_for

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
        ("", Algorithm.PER_WORKER),
        (f"{ZONE} least_conn;", Algorithm.LEAST_CONNECTIONS),
        (f"{ZONE} ip_hash;", Algorithm.ADDRESS_HASH),
    ],
)
def test_the_balancer_looks_like_what_it_is_configured_to_be(offset, tmp_path, reports, method, algorithm):
    assert fingerprint(LocalStack(offset, conf=configured(tmp_path, method)), reports) == 0
    _, found = taken(reports)
    assert outcomes(found) == {each: "fits" if each == algorithm else "excluded" for each in Algorithm}


def test_a_second_fingerprint_of_the_same_balancer_says_the_same(offset, tmp_path, reports):
    stack = LocalStack(offset, conf=configured(tmp_path, f"{ZONE} least_conn;"))
    with stack.up():
        assert [fingerprint(stack, reports) for _ in range(2)] == [0, 0]


def test_random_looks_random_but_for_one_time_in_a_thousand(offset, tmp_path, reports):
    stack = LocalStack(offset, conf=configured(tmp_path, f"{ZONE} random;"))
    codes = [fingerprint(stack, reports)]
    if codes == [1]:
        codes.append(fingerprint(stack, reports))  # this often twice: one time in a million
    assert codes[-1] == 0


def test_another_hash_is_not_taken_for_one_of_the_address(offset, tmp_path, reports):
    """The same uri, always the same backend, whoever asks."""
    assert fingerprint(LocalStack(offset, conf=configured(tmp_path, f"{ZONE} hash $request_uri;")), reports) == 3
    _, found = taken(reports)
    assert outcomes(found).pop(Algorithm.ADDRESS_HASH) == "not separable"
    assert "or whatever else always reaches one backend; the configuration says none of them" in found["sentence"]


def test_a_run_against_another_method_is_refused_in_one_sentence_and_leaves_nothing(offset, tmp_path, reports):
    stack = LocalStack(offset, conf=configured(tmp_path, f"{ZONE} least_conn;"))
    with pytest.raises(UsageError, match=r"nginx\.conf:\d+: `least_conn`: only weighted round-robin, "):
        run(Scenario.load("baseline"), stack, reports, Load(requests=100, users=10))
    assert list((reports / "baseline").iterdir()) == []


def test_the_command_leaves_a_row_per_request_and_what_it_concluded_from_them(offset, reports):
    ended = scenarios("fingerprint", "--reports", reports, offset=offset)
    assert (ended.returncode, ended.stderr) == (0, "asking: some seconds\n")
    directory, found = taken(reports)
    assert f"It looks like {Algorithm.SHARED}, as the configuration says." in ended.stdout
    rows = pd.read_csv(directory / "probe.csv")
    assert rows.groupby("phase").size().to_dict() == {"settling": 120, "sequential": 120, "addresses": 48, "slowed": 24}
    assert rows["request_id"].is_unique
    assert (rows["status"] == 201).all()
    assert rows["pid"].nunique() == 2
    assert rows[rows["phase"] == "addresses"]["source"].nunique() == 24
    assert set(rows[rows["phase"] != "addresses"]["source"]) == {"127.0.0.1"}
    slowed = rows[rows["phase"] == "slowed"]
    assert slowed["sent_us"].max() - slowed["sent_us"].min() < 2e6
    assert slowed.groupby("host_tag")["latency_us"].min()["back-03"] > 20_000
    assert list(pd.read_csv(directory / "fingerprint.csv")["algorithm"]) == [
        each["algorithm"] for each in found["hypotheses"]
    ]
    again = analysed(directory)
    assert (again.returncode, found["sentence"] in again.stdout) == (0, True)


def test_a_probe_that_was_cut_off_or_damaged_is_refused(tmp_path):
    ended = analysed(tmp_path)
    assert (ended.returncode, ended.stderr) == (2, f"analysis: {tmp_path}/probe.json: No such file or directory\n")
    (tmp_path / "probe.json").write_text("{}")
    assert "probe.json: is damaged: Field required" in analysed(tmp_path).stderr


def analysed(directory):
    command = [sys.executable, "-m", "analysis.fingerprint", str(directory)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)


def test_somebody_elses_requests_are_noticed(stack, reports, monkeypatch):
    logged_bytes = stack.logged_bytes

    def logged_bytes_before_a_stranger_comes():
        start = logged_bytes()
        ask(stack.url)
        return start

    monkeypatch.setattr(stack, "logged_bytes", logged_bytes_before_a_stranger_comes)
    assert fingerprint(stack, reports) == 3
    assert taken(reports)[1]["sentence"].endswith("had from somebody else meanwhile: 1.")


def test_a_frozen_service_does_nothing_and_goes_on_afterwards_whatever_happened(stack):
    process = next(known.process for known in stack.processes() if known.name == "back-02")
    with suppress(ZeroDivisionError), stack.breaker().frozen("back-02"):
        wait_for(lambda: process.status() == psutil.STATUS_STOPPED)
        raise ZeroDivisionError
    wait_for(lambda: process.status() != psutil.STATUS_STOPPED)
    assert {ask(stack.url).headers["x-host-tag"] for _ in range(6)} == {"back-01", "back-02", "back-03"}


def test_a_service_that_is_not_there_cannot_be_frozen(stack):
    with pytest.raises(UsageError, match="back-04 does not run"), stack.breaker().frozen("back-04"):
        pass


FREEZES = """
import sys, time
from scenarios.interruption import Interrupted, Interrupter
from scenarios.stacks.local import LocalStack
Interrupter().install()
try:
    with LocalStack(int(sys.argv[1])).breaker().frozen("back-03"):
        print("frozen", flush=True)
        time.sleep(0.5)
except Interrupted as interrupted:
    sys.exit(interrupted.exit_code)
"""


def test_ctrl_c_while_a_backend_is_frozen_leaves_it_running(stack):
    process = next(known.process for known in stack.processes() if known.name == "back-03")
    command = [sys.executable, "-c", FREEZES, str(stack.port_offset)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as freezing:
        assert freezing.stdout is not None
        assert freezing.stdout.readline() == "frozen\n"
        wait_for(lambda: process.status() == psutil.STATUS_STOPPED or freezing.poll() is not None)
        freezing.send_signal(signal.SIGINT)
        assert freezing.wait(30) == 130
    assert process.status() != psutil.STATUS_STOPPED


def test_ctrl_c_in_the_middle_leaves_the_stack_as_it_was_and_no_report(stack, reports):
    command = [sys.executable, "-m", "scenarios", "--port-offset", str(stack.port_offset), "fingerprint"]
    with subprocess.Popen(
        [*command, "--reports", str(reports)], cwd=PROJECT, stderr=subprocess.PIPE, text=True
    ) as probing:
        assert probing.stderr is not None
        assert probing.stderr.readline() == "asking: some seconds\n"
        probing.send_signal(signal.SIGINT)
        assert probing.wait(30) == 130
    assert stack.is_up()
    assert {known.process.status() for known in stack.processes()}.isdisjoint({psutil.STATUS_STOPPED})
    assert list((reports / "fingerprint").iterdir()) == []
