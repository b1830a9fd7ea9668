"""A scenario with a target of its own, driven by plain Locust against a server that is not ours."""

import json
import sys

import pytest

from scenarios.formats.columns import Column
from scenarios.formats.report_directory import ReportDirectory
from scenarios.run.recording import recording
from scenarios.run.runner import Load, run
from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import Scenario
from scenarios.spec.target import Target
from scenarios.stacks.local.stack import LocalStack
from tests.builders.commands import locust
from tests.builders.local_stacks import processes_of
from tests.builders.misbehaving_target import receive, serving
from tests.builders.processes import completed
from tests.builders.whole_runs import judged, manifest, rows

REQUESTS = 60
SCENARIO = f"""
title = "Elsewhere"
claim = "It holds."
requests = {REQUESTS}
[[stages]]
name = "only"
users = 5
spawn_rate = 50
"""
PUT = """
[target]
method = "PUT"
path = "/things/7?force=yes"
headers = {Content-Type = "text/plain", Accept = "text/plain"}
body = "seven"
expected_statuses = [202, 204]
identity = {header = "Served-By"}
"""
READ = """
[target]
method = "METHOD"
path = "/things"
body = ""
expected_statuses = [200]
identity = {header = "Served-By"}
"""
PUT_ANSWER = b"HTTP/1.1 202 Accepted\r\nServed-By: one\r\nContent-Length: 2\r\n\r\n{}"
GET_ANSWER = b"HTTP/1.1 200 OK\r\nServed-By: one\r\nContent-Length: 2\r\n\r\n{}"
HEAD_ANSWER = b"HTTP/1.1 200 OK\r\nServed-By: one\r\nContent-Length: 2000\r\n\r\n"


def locustfile_of(toml):
    """A locustfile of the scenario in this file."""
    path = toml.with_suffix(".py")
    path.write_text(
        "from pathlib import Path\n"
        "from locustfiles.generator.shape import ScenarioShape\n"
        "from locustfiles.generator.user import TargetUser\n"
        "from scenarios.spec.scenario import Scenario\n"
        "class Elsewhere(ScenarioShape):\n"
        "    def scenario(self):\n"
        f"        return Scenario.read(Path({str(toml)!r}))\n"
    )
    return path


@pytest.fixture
def drive(tmp_path):
    """Run a scenario with this target against a server that gives this answer; what it was asked, and the report."""
    toml = tmp_path / "elsewhere.toml"

    def drive(table, answer, *arguments, host="http://ADDRESS"):
        asked = []

        def behave(connection):
            while request := receive(connection):
                asked.append(request)
                connection.sendall(answer)

        with serving(behave) as address:
            toml.write_text(SCENARIO + table.replace("ADDRESS", address))
            command = [
                *(
                    sys.executable,
                    "-m",
                    "locust",
                    "-f",
                    str(locustfile_of(toml)),
                    "--host",
                    host.replace("ADDRESS", address),
                ),
                *("--headless", "--only-summary", "--claim", "one=1", "--report-directory", str(tmp_path / "report")),
                *("--json-file", str(tmp_path / "locust"), *arguments),
            ]
            ended = completed(command, within_s=90)
        assert ended.returncode == 0, ended.stderr
        return asked, tmp_path

    return drive


OURS = """
[target]
method = "GET"
path = "/"
body = ""
expected_statuses = [200]
"""


def head_of(request):
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    return line, dict(header.split(": ", 1) for header in headers), body


def test_another_method_path_header_body_and_status_are_sent_and_judged(drive):
    asked, directory = drive(PUT, PUT_ANSWER)
    assert len(asked) == REQUESTS
    line, headers, body = head_of(asked[0])
    assert (line, body) == ("PUT /things/7?force=yes HTTP/1.1", b"seven")
    assert headers.keys() == {"Host", "Content-Type", "Accept", "Content-Length", "X-Request-Id"}
    assert (headers["Content-Type"], headers["Content-Length"]) == ("text/plain", "5")
    ledger = rows(directory / "report")
    assert set(zip(ledger[Column.HOST_TAG], ledger[Column.STATUS], ledger[Column.ERROR], strict=True)) == {
        ("one", 202, "")
    }
    (of_locust,) = json.loads((directory / "locust.json").read_text())
    assert (of_locust["method"], of_locust["name"]) == ("PUT", "/things/7?force=yes one")
    target = manifest(directory / "report")["scenario"]["target"]
    assert (target["method"], target["url"]) == ("PUT", f"http://{headers['Host']}")
    assert {name: check["outcome"] for name, check in judged(directory / "report").items()}["errors"] == "PASS"


@pytest.mark.parametrize(("method", "answer"), [("GET", GET_ANSWER), ("HEAD", HEAD_ANSWER)])
def test_a_request_without_a_body_says_nothing_of_one(drive, method, answer):
    asked, directory = drive(READ.replace("METHOD", method), answer)
    line, headers, body = head_of(asked[0])
    assert (line, body) == (f"{method} /things HTTP/1.1", b"")
    assert headers.keys() == {"Host", "X-Request-Id"}
    ledger = rows(directory / "report")
    assert set(zip(ledger[Column.HOST_TAG], ledger[Column.STATUS], ledger[Column.ERROR], strict=True)) == {
        ("one", 200, "")
    }
    assert (ledger[Column.CONNECT_US] > 0).sum() <= 5  # every user keeps its connection


def test_the_address_of_a_target_is_the_one_that_is_asked(drive):
    asked, directory = drive(PUT + 'url = "http://ADDRESS"\n', PUT_ANSWER, host="http://127.0.0.1:1")
    assert len(asked) == REQUESTS
    assert (rows(directory / "report")[Column.ERROR] == "").all()


def test_every_worker_asks_the_target_of_the_scenario(drive):
    asked, directory = drive(PUT, PUT_ANSWER, "--processes", "2")
    assert {head_of(request)[0] for request in asked} == {"PUT /things/7?force=yes HTTP/1.1"}
    assert (rows(directory / "report")[Column.ERROR] == "").all()


def test_on_our_stack_a_target_that_the_backends_do_not_count_is_no_fault_of_theirs(stack, tmp_path, reports, capsys):
    toml = tmp_path / "elsewhere.toml"
    toml.write_text(SCENARIO + OURS)
    directory = ReportDirectory.new(reports, "elsewhere")
    with recording(stack, directory, Scenario.read(toml), by_configuration=True):
        ended = locust(stack, directory.path, file=locustfile_of(toml))
    assert ended.returncode == 0, ended.stderr
    assert "the backends count POST /models and not GET /: their counters are left out" in capsys.readouterr().err
    outcomes = {name: check["outcome"] for name, check in judged(directory.path).items()}
    assert "FAIL" not in outcomes.values()
    assert (outcomes["counters"], outcomes["uncounted"], outcomes["split back-03"]) == ("INVALID", "INVALID", "PASS")


def test_on_our_stack_a_header_that_the_balancer_does_not_log_is_refused_before_the_run(stack, tmp_path, reports):
    toml = tmp_path / "elsewhere.toml"
    toml.write_text(SCENARIO + '[target.identity]\nheader = "Served-By"\n')
    directory = ReportDirectory.new(reports, "elsewhere")
    with (
        pytest.raises(
            UsageError, match=r"has upstream_http_x_host_tag where balancer\.csv has upstream_http_served_by"
        ),
        recording(stack, directory, Scenario.read(toml), by_configuration=True),
    ):
        pytest.fail("it began")
    assert not directory.path.exists()


def test_the_runner_refuses_a_target_with_an_address_before_anything_starts(offset, reports):
    scenario = Scenario.load("baseline").model_copy(update={"target": Target(url="http://192.0.2.1")})
    with pytest.raises(UsageError, match=r"baseline: its target\.url is http://192\.0\.2\.1, which is no stack"):
        run(scenario, LocalStack(offset), reports, Load())
    assert processes_of(offset) == []
