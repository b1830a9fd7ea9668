"""Targets that misbehave, for real: every request ends as exactly one row, and the verdict says what happened."""

import os
import resource
import signal
import ssl
import subprocess

import pytest

from scenarios.formats.columns import Column
from tests.builders.commands import words_of_locust
from tests.builders.free_ports import port_offset
from tests.builders.http import ask
from tests.builders.misbehaving_target import (
    HEAD,
    WHOLE,
    always,
    chunked,
    closing_when_idle,
    dawdling,
    once,
    resetting,
    serving,
    silent,
)
from tests.builders.processes import completed, running, wait_for
from tests.builders.whole_runs import judged, manifest, rows

REQUESTS, USERS = 200, 20


def drive(address, directory, *arguments, scheme="http", **options):
    """Run the baseline against an address with plain Locust, to its end."""
    return completed(command(f"{scheme}://{address}", directory, *arguments), **options)


def command(target, directory, *arguments):
    options = ("--headless", "--only-summary", "--claim", "back-01=1", "--report-directory", directory)
    return words_of_locust(target, *options, "--scale-requests", REQUESTS, "--scale-users", USERS, *arguments)


def errors(directory):
    """The errors of a run that sent every request once."""
    ledger = rows(directory)
    assert len(ledger) == ledger[Column.REQUEST_ID].nunique() == REQUESTS
    return ledger[Column.ERROR].value_counts().to_dict()


def outcomes(directory):
    return {name: check["outcome"] for name, check in judged(directory).items()}


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        (resetting, "ConnectionResetError: [Errno 104] Connection reset by peer"),
        pytest.param(once(b""), "AnswerFault: closed before an answer", marks=pytest.mark.full),
        (once(b"220 mail.example.org ESMTP\r\n\r\n"), "AnswerFault: not HTTP: Expected HTTP/, RTSP/ or ICE/"),
        (once(HEAD + b"Content-Length: 1000\r\n\r\n{"), "AnswerFault: closed within the answer"),
        pytest.param(
            once(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"),
            "AnswerFault: closed within the answer",
            marks=pytest.mark.full,
        ),
        pytest.param(once(HEAD[:-2]), "AnswerFault: closed before an answer", marks=pytest.mark.full),
        pytest.param(
            once(WHOLE + WHOLE), "AnswerFault: not HTTP: more than one answer to a request", marks=pytest.mark.full
        ),
        (always(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), "Unwanted: status 503 instead of 201"),
        (always(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"), "Unwanted: no x-host-tag"),
    ],
)
def test_broken_answer_fails_the_request_and_is_named(behave, error, tmp_path):
    with serving(behave) as address:
        ended = drive(address, tmp_path)
    assert ended.returncode == 1, ended.stderr  # Locust's own rule for requests that failed
    assert "Traceback" not in ended.stderr
    assert errors(tmp_path) == {error: REQUESTS}
    found = outcomes(tmp_path)
    assert found["errors"] == "FAIL"
    assert (found["requests"], found["own faults"]) == ("PASS", "PASS")


def test_target_that_refuses_connections_fails_every_request(tmp_path):
    ended = drive(f"127.0.0.1:{8080 + port_offset(8080)}", tmp_path)
    assert ended.returncode == 1
    assert errors(tmp_path) == {"ConnectionRefusedError: [Errno 111] Connection refused": REQUESTS}
    assert outcomes(tmp_path)["errors"] == "FAIL"


@pytest.mark.parametrize(
    "behave",
    [
        always(WHOLE),
        chunked,
        pytest.param(once(HEAD + b"Connection: close\r\n\r\n{}"), marks=pytest.mark.full),
        pytest.param(always(b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE), marks=pytest.mark.full),
    ],
)
def test_bodies_of_every_form_are_whole_answers(behave, tmp_path):
    with serving(behave) as address:
        drive(address, tmp_path)
    assert errors(tmp_path) == {"": REQUESTS}
    assert (rows(tmp_path)[Column.HOST_TAG] == "back-01").all()


def test_connection_closed_while_idle_is_noticed_before_sending(tmp_path):
    toml, locustfile = tmp_path / "pause.toml", tmp_path / "pause.py"
    toml.write_text(
        f'title = "Pause"\nclaim = "It holds."\nrequests = {REQUESTS}\n'
        f'[[stages]]\nname = "first"\nusers = {USERS}\nspawn_rate = 100\nuntil_requests = {USERS}\n'
        f'[[stages]]\nname = "second"\nusers = {2 * USERS}\nspawn_rate = {USERS}\nrendezvous = true\n'
    )
    locustfile.write_text(
        "from pathlib import Path\n"
        "from locustfiles.generator.shape import ScenarioShape\n"
        "from locustfiles.generator.user import TargetUser\n"
        "from scenarios.spec.scenario import Scenario\n"
        "class Pause(ScenarioShape):\n"
        "    def scenario(self):\n"
        f"        return Scenario.read(Path({str(toml)!r}))\n"
    )
    with serving(closing_when_idle) as address:
        asked = command(f"http://{address}", tmp_path / "report")
        asked[asked.index("locustfiles/baseline.py")] = locustfile
        del asked[asked.index("--scale-requests") :]
        completed(asked)
    ledger = rows(tmp_path / "report")
    first = ledger[(ledger[Column.STAGE] == "second")].sort_values(Column.SENT_US).head(USERS)
    assert len(ledger) == REQUESTS
    assert (
        first[Column.CONNECT_US] > 0
    ).sum() >= USERS // 2  # those who had a connection before; the new ones keep theirs
    assert (first[Column.ERROR] == "").all()


def interrupted(behave, directory):
    """Press Ctrl-C when all users have a request in flight, or soon after."""
    with (
        serving(behave) as address,
        running(command(f"http://{address}", directory), stderr=subprocess.PIPE, text=True) as process,
    ):
        wait_for(lambda: (directory / "generator.csv").exists() and "y,20" in (directory / "generator.csv").read_text())
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 3, said
    assert manifest(directory)["end"]["reason"] == "it was interrupted"
    return rows(directory)


def test_answer_outstanding_at_ctrl_c_ends_as_a_row(tmp_path):
    ledger = interrupted(silent, tmp_path)
    assert ledger[Column.ERROR].value_counts().to_dict() == {"GeneratorFault: stopped before the answer came": USERS}
    found = outcomes(tmp_path)
    assert (found["requests"], found["own faults"], found["errors"]) == ("INVALID", "INVALID", "PASS")


def test_answers_on_their_way_at_ctrl_c_are_waited_for(tmp_path):
    ledger = interrupted(dawdling, tmp_path)
    assert 0 < len(ledger) < REQUESTS
    assert len(ledger) % USERS == 0
    assert (ledger[Column.ERROR] == "").all()


def test_too_few_open_files_are_a_fault_of_the_generator_with_every_row(tmp_path):
    with serving(always(WHOLE)) as address:
        drive(address, tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50)))
    named = errors(tmp_path)
    assert named["GeneratorFault: Too many open files"] > 0
    assert set(named) <= {"", "GeneratorFault: Too many open files"}
    found = outcomes(tmp_path)
    assert (found["own faults"], found["errors"], found["split back-01"]) == ("INVALID", "PASS", "INVALID")


def test_https_works_and_bad_certificate_is_refused(tmp_path):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = completed(
        [*("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
         *("-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate)],
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(always(WHOLE), lambda connection: context.wrap_socket(connection, server_side=True)) as address:
        port = address.rpartition(":")[2]
        trusting = os.environ | {"SSL_CERT_FILE": str(certificate)}
        drive(f"localhost:{port}", tmp_path / "trusted", scheme="https", env=trusting)
        drive(f"localhost:{port}", tmp_path / "doubted", scheme="https")
    assert errors(tmp_path / "trusted") == {"": REQUESTS}
    assert (rows(tmp_path / "trusted")[Column.CONNECT_US] == 0).all()
    (doubt,) = errors(tmp_path / "doubted")
    assert doubt.startswith("SSLCertVerificationError")


def test_run_stopped_in_the_web_interface_has_a_row_for_every_request(tmp_path):
    port = 8089 + port_offset(8089)
    with serving(dawdling) as address:
        asked = command(f"http://{address}", tmp_path, "--web-host", "127.0.0.1", "--web-port", port)
        asked.remove("--headless")
        asked.remove("--only-summary")
        with running(asked, stdin=subprocess.DEVNULL) as process:
            wait_for(lambda: answers(port))
            assert ask(f"http://127.0.0.1:{port}/swarm", b"").json["success"]
            wait_for(lambda: answered_at(port) >= USERS)
            assert ask(f"http://127.0.0.1:{port}/stop", b"").json["success"]
            wait_for(lambda: manifest(tmp_path)["end"] is not None)
            process.send_signal(signal.SIGINT)
            process.wait(30)
    ledger = rows(tmp_path)
    assert len(ledger) % USERS == 0
    assert len(ledger) >= 2 * USERS
    assert (ledger[Column.ERROR] == "").all()
    assert manifest(tmp_path)["end"]["complete"] is False


def answered_at(port):
    return ask(f"http://127.0.0.1:{port}/stats/requests").json["stats"][-1]["num_requests"]


def answers(port):
    try:
        return ask(f"http://127.0.0.1:{port}/").status == 200
    except OSError:
        return False
