"""What the web interface says when a process of it ends, or the stack, and what is left then."""

import signal

import psutil
import pytest

from scenarios.stacks.local.stack import LocalStack
from tests.browser.web import WHOLE, serving
from tests.builders.http import ask
from tests.builders.local_stacks import processes_of
from tests.builders.processes import wait_for
from tests.builders.whole_runs import broken, manifest, rows


@pytest.mark.full
def test_stack_dying_in_a_run_is_said_and_next_run_is_refused(tmp_path, offset, browse):
    with serving(offset, tmp_path / "reports") as web:
        visitor = browse(web.url)
        visitor.begin("sustained", requests=8000)
        wait_for(lambda: web.state()["run"]["done"] > 500)
        LocalStack(offset).stop()
        visitor.wait_for("requests failed, most of them for this reason: ConnectionRefusedError")
        visitor.keep("stack-died")
        state = web.wait_until("over")
        assert state["run"]["done"] == 8000
        assert state["verdict"]["outcome"] != "PASS"
        visitor.choose("baseline")
        visitor.page.get_by_text("The local stack is not up any more").wait_for()
        visitor.keep("stack-down")
        assert len(list((tmp_path / "reports").glob("baseline/*"))) == 0
    assert web.process.returncode == 0


@pytest.mark.full
def test_two_workers_share_a_run_and_one_that_leaves_is_named(tmp_path, offset, browse):
    with serving(offset, tmp_path / "reports", "--processes", 2) as web:
        wait_for(lambda: ask(f"{web.url}worker-count").json["worker_count"] == 2)
        visitor = browse(web.url)
        visitor.begin("baseline", requests=6000)
        visitor.wait_for(WHOLE)
        assert web.wait_until("over")["run"]["done"] == 6000
        directory = web.newest("baseline")
        assert broken(directory) == {}
        assert rows(directory)["request_id"].str.partition("-")[0].nunique() == 2
        visitor.begin("sustained", requests=20_000)
        wait_for(lambda: web.state()["run"]["done"] > 500 and web.state()["phase"] == "running")
        locust = next(child for child in psutil.Process(web.process.pid).children() if "locust" in child.cmdline())
        locust.children()[0].kill()
        visitor.wait_for("was lost, and whether")
        visitor.keep("worker-lost")
        assert web.wait_until("over")["verdict"]["outcome"] == "INVALID"
    assert web.process.returncode == 0


def test_workers_without_run_end_with_their_master(tmp_path, offset):
    with serving(offset, tmp_path / "reports", "--processes", 2) as web:
        wait_for(lambda: ask(f"{web.url}worker-count").json["worker_count"] == 2)
        processes = psutil.Process(web.process.pid).children(recursive=True)
        assert sum("locust" in process.cmdline() for process in processes) == 3
    assert web.process.returncode == 0
    assert psutil.wait_procs(processes, timeout=5)[1] == []


def test_locust_dying_in_a_run_ends_the_web_interface_and_is_judged(tmp_path, offset):
    with serving(offset, tmp_path / "reports") as web:
        assert web.swarm(scenario="sustained")["success"]
        wait_for(lambda: web.state()["run"]["done"] > 500)
        next(child for child in psutil.Process(web.process.pid).children() if "locust" in child.cmdline()).kill()
        assert web.process.wait(60) == 2
    assert "Locust ended with exit code -9" in web.said
    assert (web.newest("sustained") / "balancer.csv").exists()
    assert (web.newest("sustained") / "locust.log").exists()
    assert f"{web.newest('sustained')}: " in web.said  # why it cannot be judged


@pytest.mark.full
def test_web_interrupted_while_judging_says_where_the_run_is(tmp_path, offset):
    with serving(offset, tmp_path / "reports") as web:
        assert web.swarm(scenario="baseline")["success"]
        web.wait_until("judging")
        web.process.send_signal(signal.SIGINT)
        assert web.process.wait(60) == 130
    assert f"what was recorded is in {web.newest('baseline')}" in web.said
    assert manifest(web.newest("baseline"))["end"]["complete"]


def test_web_interrupted_or_killed_ends_with_its_run(tmp_path, offset):
    for number, left in ((signal.SIGTERM, 143), (signal.SIGKILL, -9)):
        with serving(offset, tmp_path / f"reports-{left}") as web:
            assert web.swarm(scenario="sustained")["success"]
            wait_for(lambda web=web: web.state()["run"]["done"] > 500)
            web.process.send_signal(number)
            assert web.process.wait(60) == left
            wait_for(lambda: processes_of(offset) == [])
            wait_for(
                lambda web=web: (
                    not any(
                        web.url[7:-1].endswith(str(c.laddr.port))
                        for c in psutil.net_connections("tcp")
                        if c.status == psutil.CONN_LISTEN
                    )
                )
            )
            wait_for(lambda web=web: manifest(web.newest("sustained"))["end"] is not None)
            assert not manifest(web.newest("sustained"))["end"]["complete"]
