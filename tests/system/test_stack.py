"""The local stack: real nginx, real replicas, and what is left when something goes wrong."""

import csv
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from scenarios.formats.columns import Column
from scenarios.formats.rows import Balanced
from scenarios.spec.errors import UsageError
from scenarios.spec.nginx.conf import NginxConf
from scenarios.stacks.local.stack import CONF, LocalStack
from tests.builders.commands import scenarios
from tests.builders.http import ask
from tests.builders.local_stacks import processes_of
from tests.builders.processes import running, wait_for

LONG = "x" * 65
PLACES = ("/", "127.", "back-", "8080", "resolve")
TOLD = ("worker_processes", "zone", "server", "keepalive", "proxy_pass", "log_format", "map", "proxy_next_upstream")


def access_log(stack):
    with (stack.directory / "access.csv").open(newline="", encoding="utf-8") as file:
        return [dict(zip(Balanced._fields, row, strict=True)) for row in csv.reader(file)]


def test_balancer_freshly_started_gives_one_client_the_cycle(stack):
    tags = [ask(stack.target).headers["x-host-tag"] for _ in range(12)]
    assert tags == ["back-03", "back-02", "back-01", "back-03", "back-02", "back-03"] * 2


def test_balancer_passes_the_request_id_on_and_logs_readable_rows(stack):
    ask(f"{stack.target}/models", b"{}", headers={"X-Request-Id": 'odd "id", with a comma'})
    ask(f"{stack.target}/")
    wait_for(lambda: len(access_log(stack)) == 2)  # nginx writes a row when it has sent the answer
    first, second = access_log(stack)
    assert first[Column.REQUEST_ID] == r"odd \x22id\x22, with a comma"
    assert (first[Column.METHOD], first[Column.PATH], first[Column.STATUS], first[Column.COMPLETION]) == (
        "POST",
        "/models",
        "422",
        "OK",
    )
    assert (first[Column.UPSTREAM_STATUSES], first[Column.HOST_TAG]) == ("422", "back-03")
    assert float(first[Column.UPSTREAM_RESPONSE_S]) <= float(first[Column.DURATION_S]) + 0.001
    assert int(first[Column.WORKER]) in {process.pid for process in psutil.process_iter()}
    assert len(second[Column.REQUEST_ID]) == 32


def test_attempt_without_connection_is_logged_with_the_one_answered(stack):
    victim = next(process for process in stack.processes() if process.name == "back-03")
    os.kill(victim.pid, signal.SIGKILL)
    wait_for(lambda: victim.process is None)
    assert ask(stack.target).headers["x-host-tag"] == "back-02"
    wait_for(lambda: access_log(stack))
    (row,) = access_log(stack)
    assert (
        row[Column.UPSTREAM_ADDRESSES] == f"127.0.0.1:{8003 + stack.port_offset}, 127.0.0.1:{8002 + stack.port_offset}"
    )
    assert row[Column.UPSTREAM_STATUSES] == "502, 200"


def test_nginx_answers_its_own_health_check_and_hides_its_version(stack):
    answer = ask(f"{stack.target}/nginx-health")
    assert (answer.status, answer.body) == (200, b"healthy\n")
    assert answer.headers["server"] == "nginx"
    assert access_log(stack) == []


def test_body_over_the_limit_is_refused_before_it_takes_a_turn(stack):
    assert ask(f"{stack.target}/models", b" " * 70_000).status == 413
    assert ask(stack.target).headers["x-host-tag"] == "back-03"


def test_up_status_logs_and_down_do_as_they_say(offset):
    assert scenarios("status", offset=offset).returncode == 3
    up = scenarios("up", offset=offset)
    assert (up.returncode, up.stdout) == (0, f"local stack is up: http://127.0.0.1:{8080 + offset}\n")
    assert "is up already" in scenarios("up", offset=offset).stdout
    status = scenarios("status", offset=offset)
    assert status.returncode == 0
    assert status.stdout.count(" up ") == 4
    assert "Application startup complete" in scenarios("logs", offset=offset).stdout
    assert scenarios("down", offset=offset).stdout == "stopped\n"
    assert scenarios("down", offset=offset).stdout == "nothing was running\n"
    assert processes_of(offset) == []


def test_logs_of_a_stack_never_started_are_refused(offset):
    ended = scenarios("logs", offset=offset)
    assert (ended.returncode, ended.stderr) == (2, "scenarios: there are no logs: the stack was not started yet\n")


def test_taken_port_names_the_port_its_holder_and_the_way_out(offset):
    with socket.create_server(("127.0.0.1", 8002 + offset)):
        ended = scenarios("up", offset=offset)
    assert ended.returncode == 2
    assert f"port {8002 + offset}, which back-02 needs, is taken by process {os.getpid()} (" in ended.stderr
    assert "PORT_OFFSET=" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not LocalStack(offset).directory.exists()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("server_tokens off;", "server_tokens maybe;", 'nginx ended with exit code 1: .*invalid value "maybe"'),
        ("server back-02:8002 ", f"server {LONG}:8002 ", f"{LONG} ended with exit code 2: backend: HOST_TAG is"),
    ],
)
def test_service_not_starting_is_named_with_its_last_words(offset, tmp_path, old, new, sentence):
    conf = tmp_path / "nginx.conf"
    conf.write_text(CONF.read_text().replace(old, new))
    stack = LocalStack(offset, conf=conf)
    with pytest.raises(UsageError, match=sentence), stack.up():
        pass
    assert not stack.is_up()
    assert stack.processes() == []
    assert processes_of(offset) == []


def test_stack_that_lost_a_replica_is_not_up_and_up_mends_it(offset):
    stack = LocalStack(offset)
    scenarios("up", offset=offset)
    victim = next(process for process in stack.processes() if process.name == "back-01")
    os.kill(victim.pid, signal.SIGKILL)
    wait_for(lambda: victim.process is None)
    status = scenarios("status", offset=offset)
    assert status.returncode == 3
    assert "not running" in status.stdout.splitlines()[0]
    assert scenarios("up", offset=offset).returncode == 0
    assert stack.is_up()
    scenarios("down", offset=offset)


def test_orphans_of_a_killed_supervisor_are_found_and_stopped(offset):
    stack = LocalStack(offset)
    scenarios("up", offset=offset)
    supervisor, *services = stack.processes()
    os.kill(supervisor.pid, signal.SIGKILL)
    wait_for(lambda: supervisor.process is None)
    assert not stack.is_up()
    assert scenarios("down", offset=offset).stdout == "stopped\n"
    assert [service.name for service in services if service.process] == []


OWNS = """
import sys, time
from scenarios.stacks.local.stack import LocalStack
with LocalStack(int(sys.argv[1])).up():
    print("up", flush=True)
    time.sleep(600)
"""


def test_stack_of_a_killed_owner_ends(offset):
    with running([sys.executable, "-c", OWNS, offset], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout.readline() == "up\n"
        processes = LocalStack(offset).processes()
        assert len(processes) == 5
        owner.kill()
    wait_for(lambda: all(process.process is None for process in processes))
    assert not LocalStack(offset).state.path.exists()


def test_supervisor_heeds_orders_that_come_all_at_once():
    """A signal in the middle of waiting used to meet a lock that the waiting held, and both waited for ever."""
    script = (
        "from scenarios.stacks.local.supervisor import Orders\n"
        "orders = Orders(attached=True); print(flush=True); orders.stop_within(60)"
    )
    for _ in range(10):
        with running([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            process.stdin.close()
            deadline = time.monotonic() + 10
            while process.poll() is None and time.monotonic() < deadline:
                process.send_signal(signal.SIGTERM)
            assert process.poll() in (0, -signal.SIGTERM)  # the latter when a signal meets the interpreter's own end


def test_configuration_served_differs_in_addresses_and_paths_only(stack):
    def words(path):
        """What is left when addresses and paths are taken away."""
        return [
            [line["directive"], *(word for word in line["args"] if not word.startswith(PLACES))]
            for line in NginxConf.read(path).find(*TOLD)
        ]

    assert words(stack.running_conf) == words(CONF)
    assert stack.balancer_conf() == CONF.read_text()
    assert "weight=3 max_fails=1 fail_timeout=5s;" in stack.running_conf.read_text()


def test_replica_of_another_stack_is_not_taken_for_ours(offset, tmp_path):
    """Two replicas are given one port: whichever comes second must not pass by the answers of the first."""
    conf = tmp_path / "nginx.conf"
    conf.write_text(CONF.read_text().replace("back-02:8002", "back-02:8001"))
    with (
        pytest.raises(UsageError, match=r"back-0[12] ended with exit code .* Address already in use"),
        LocalStack(offset, conf=conf).up(),
    ):
        pass
    assert processes_of(offset) == []
