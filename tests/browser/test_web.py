"""Locust's web interface with the split live in it, used in a real browser against the real stack."""

import csv
import io
import json
import signal
import subprocess
import sys
from contextlib import contextmanager

import pandas as pd
import psutil
import pytest

from scenarios.definition import Scenario, names
from scenarios.stacks.local import LocalStack
from tests.browser.web import Visitor, serving
from tests.conftest import PORTS, PROJECT, ask, forget, processes_of, scenarios, wait_for
from tests.free_ports import port_offset
from tests.system.misbehaving import always
from tests.system.misbehaving import serving as misbehaving
from tests.system.runs import broken, manifest, rows

GONE = "ERR_CONNECTION_REFUSED"  # what a page says that outlives Locust
WHOLE = "every request was answered"
HIDDEN = ("userCount", "spawnRate", "runTime", "host")


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    offset = port_offset(*PORTS, 8089)
    with serving(offset, tmp_path_factory.mktemp("web") / "reports", "--scenario", "spike") as web:
        yield web
    forget(offset)
    assert web.process.returncode == 0
    assert web.said.endswith("ended\n")
    assert "# reqs" not in web.said
    assert processes_of(offset) == []


@pytest.fixture
def idle(web):
    """The same, when nothing runs there and nothing is being judged."""
    web.wait_until("ready", "over")
    return web


@pytest.fixture
def judged_once(idle):
    """The same, and a run has been judged there."""
    if idle.state()["phase"] == "ready":
        assert idle.swarm(scenario="baseline")["success"]
    idle.wait_until("over")
    return idle


@pytest.fixture
def visit(browser):
    contexts, visitors = [], []

    def visit(url, **options):
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True, **options))
        visitors.append(Visitor(contexts[-1].new_page(), url))
        return visitors[-1]

    yield visit
    for context in contexts:
        context.close()
    assert [wrong for visitor in visitors for wrong in visitor.wrong if GONE not in wrong] == []


def downloaded(visitor):
    with visitor.page.expect_download() as download:
        visitor.page.get_by_text("Download this table as CSV").click()
    assert download.value.suggested_filename == "distribution.csv"
    return list(csv.DictReader(io.StringIO(download.value.path().read_text())))


def test_the_form_asks_for_a_scenario_and_not_for_what_a_scenario_decides(idle, visit):
    page = visit(idle.url).page
    page.locator('select[name="scenario"]').wait_for()
    assert page.input_value('select[name="scenario"]') == "spike"
    by_size = sorted(names(), key=lambda name: Scenario.load(name).requests)
    assert page.locator('select[name="scenario"] option').all_inner_texts() == by_size
    page.get_by_text("20,000 requests, 10,000 users. The configured split holds").wait_for()
    page.select_option('select[name="scenario"]', "baseline")
    page.get_by_text("1,000 requests, 100 users. A hundred users get").wait_for()
    assert [name for name in HIDDEN if page.locator(f'[name="{name}"]').is_visible()] == []


@pytest.mark.alone
def test_a_spike_is_watched_to_its_verdict_and_its_numbers_are_those_of_the_report(idle, visit):
    visitor = visit(idle.url)
    visitor.begin("spike")
    visitor.wait_for("stage surge")
    visitor.keep("spike-running")
    assert [row[0] for row in visitor.table()] == ["back-01", "back-02", "back-03"]
    assert visitor.page.locator("#proof svg .course").count() == 6
    visitor.wait_for(WHOLE)
    visitor.keep("spike-over")
    shown, file = visitor.table(), downloaded(visitor)
    assert idle.wait_until("over")["run"]["done"] == 20_000
    report = pd.read_csv(idle.newest("spike") / "distribution.csv")
    assert [row[3] for row in shown] == [f"{count:,}" for count in report["answered"]]
    assert [row[4] for row in shown] == [f"{100 * share:.2f} %" for share in report["share"]]
    assert [row["host_tag"] for row in file] == list(report["host_tag"])
    for column in report.columns[1:]:
        assert [float(row[column]) for row in file] == pytest.approx(list(report[column]), abs=5e-4)  # as it is rounded
    latency = pd.read_csv(idle.newest("spike") / "latency.csv").query("stage == 'all'").set_index("host_tag")
    for row in file:
        exact = latency.loc[row["host_tag"]]
        assert [float(row["p50_ms"]), float(row["p99_ms"])] == pytest.approx(
            [exact["p50_ms"], exact["p99_ms"]], rel=1e-3
        )
    visitor.open("Verdict")
    visitor.wait_for("Open the report")
    visitor.page.wait_for_load_state("networkidle")
    visitor.keep("spike-verdict")
    outcome = json.loads((idle.newest("spike") / "verdict.json").read_text())["outcome"]
    assert visitor.page.locator(".proof-outcome").inner_text() == outcome
    assert broken(idle.newest("spike")) == {}
    assert len(visitor.table()) == len(json.loads((idle.newest("spike") / "verdict.json").read_text())["checks"])
    assert (
        visitor.page.evaluate("[...document.images].filter((image) => image.complete && !image.naturalWidth).length")
        == 0
    )
    with visitor.page.context.expect_page() as opened:
        visitor.page.get_by_text("Open the report").click()
    opened.value.wait_for_load_state()
    assert opened.value.get_by_role("heading", name=f"Verdict: {outcome}").is_visible()


def test_each_backend_has_a_row_in_locusts_own_table(idle, visit):
    visitor = visit(idle.url)
    visitor.begin("baseline")
    visitor.wait_for(WHOLE)
    visitor.open("Statistics")
    visitor.page.get_by_text("/models back-03").wait_for()
    counted = {row["name"]: row["num_requests"] for row in ask(f"{idle.url}stats/requests").json["stats"]}
    parts = {part["host_tag"]: part["answered"] for part in idle.state()["parts"]}
    assert counted == {f"/models {tag}": count for tag, count in parts.items()} | {"Aggregated": 1000}


def test_a_run_from_the_form_leaves_what_one_from_make_leaves(idle, tmp_path, offset):
    assert idle.swarm(scenario="baseline", scale_requests=0, scale_users=0)["success"]
    idle.wait_until("over")
    assert scenarios("run", "baseline", "--reports", tmp_path, offset=offset).returncode in (0, 3)
    by_make = {path.name for path in (tmp_path / "baseline" / "latest").iterdir()}
    assert {path.name for path in idle.newest("baseline").iterdir()} == by_make
    assert broken(idle.newest("baseline")) == {}
    assert "All users spawned" in (idle.newest("baseline") / "locust.log").read_text()


def test_nothing_is_lost_by_a_reset_a_reload_or_a_second_browser(idle, visit):
    first, second = visit(idle.url), visit(idle.url, color_scheme="dark")
    first.begin("sustained", requests=20_000)
    idle.wait_until("running")
    first.page.get_by_role("button", name="Reset").click()
    first.page.reload()
    first.wait_for("stage steady")
    second.wait_for("stage steady")  # which has seen that a run began elsewhere
    second.keep("sustained-running-dark")
    for visitor in (first, second):
        visitor.wait_for(WHOLE)
        assert sum(int(row[3].replace(",", "")) for row in visitor.table()) == 20_000
    idle.wait_until("over")
    assert len(rows(idle.newest("sustained"))) == 20_000
    assert broken(idle.newest("sustained")) == {}


def test_a_run_that_is_stopped_is_an_aborted_one_and_says_so(idle, visit):
    visitor = visit(idle.url)
    visitor.begin("sustained")
    wait_for(lambda: idle.state()["run"]["done"] > 1000 and idle.state()["phase"] == "running")
    refused = idle.swarm(scenario="baseline")
    assert not refused["success"]
    assert refused["message"].startswith("Sustained is running since ")
    assert refused["message"].endswith("stop it first, or wait for its end")
    visitor.page.get_by_role("button", name="Stop").click()
    visitor.wait_for("The run did not come to its end: it was stopped.")
    visitor.open("Verdict")
    visitor.wait_for("Open the report")
    visitor.keep("stopped")
    assert visitor.page.locator(".proof-outcome").inner_text() == "INVALID"
    directory = idle.newest("sustained")
    assert manifest(directory)["end"]["reason"] == "it was stopped"
    assert len(rows(directory)) == idle.state()["run"]["done"] < 50_000
    assert (directory / "balancer.csv").exists()


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"scenario": "nothing"}, "There is no scenario 'nothing'; there are baseline, "),
        ({"scale_requests": "many"}, "The number of requests is 'many', and should be a whole number"),
        ({"scale_users": "-1"}, "The number of users is '-1', and should be a whole number"),
        ({"scenario": "spike", "scale_requests": "10"}, "Spike scaled to requests=10"),
        ({"host": "http://192.0.2.1"}, "Requests go to http://127.0.0.1:"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused_in_words(form, sentence, idle):
    before = idle.state()
    refused = idle.swarm(**form)
    assert not refused["success"]
    assert refused["message"].startswith(sentence)
    assert idle.state() == before


@pytest.mark.parametrize(
    "path",
    [
        "proof/reports/1/../../../../etc/passwd",
        "proof/reports/1/%2e%2e%2fmanifest.json",
        "proof/reports/..%2f..%2f/manifest.json",
        "proof/reports/1/nginx.conf",
        "proof/reports/0/report.html",
        "proof/site.py",
        "proof/panel.js/../site.py",
        "proof/%2fetc%2fpasswd",
    ],
)
def test_nothing_but_the_reports_of_its_own_runs_is_given_out(path, judged_once):
    assert ask(f"{judged_once.url}proof/reports/1/report.html").status == 200
    assert ask(judged_once.url + path).status in (400, 404)


def test_a_form_can_set_nothing_but_what_it_shows(idle, tmp_path):
    foreign = {
        "report_directory": tmp_path / "x",
        "claim": "back-01=1",
        "html_file": tmp_path / "y",
        "headless": "true",
    }
    assert idle.swarm(scenario="baseline", scale_requests=500, **foreign)["success"]
    idle.wait_until("over")
    assert len(rows(idle.newest("baseline"))) == 500
    assert manifest(idle.newest("baseline"))["claim"]["weights"] == {"back-01": 1, "back-02": 2, "back-03": 3}
    assert idle.swarm(scenario="baseline", scale_requests=0)["success"]
    idle.wait_until("over")
    assert list(tmp_path.iterdir()) == []


def test_the_page_of_another_site_is_refused(idle):
    before = idle.state()
    for path, data in (("proof/state", None), ("swarm", b"scenario=baseline"), ("stop", b"")):
        refused = ask(idle.url + path, data, headers={"Origin": "http://example.com"})
        assert refused.status == 403
        assert b"http://example.com" in refused.body
    assert ask(idle.url, headers={"Host": "example.com"}).status == 400
    assert ask(f"{idle.url}proof/state", headers={"Origin": idle.url.rstrip("/")}).json == before


def test_it_listens_on_this_machine_only(idle):
    port = int(idle.url.rstrip("/").rpartition(":")[2])
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    }
    assert listening == {"127.0.0.1"}


def test_a_stack_that_dies_in_a_run_is_said_and_another_run_is_refused(tmp_path, offset, visit):
    with serving(offset, tmp_path / "reports") as web:
        visitor = visit(web.url)
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


def test_two_workers_share_a_run_and_one_that_leaves_is_named(tmp_path, offset, visit):
    with serving(offset, tmp_path / "reports", "--processes", 2) as web:
        wait_for(lambda: ask(f"{web.url}worker-count").json["worker_count"] == 2)
        visitor = visit(web.url)
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


def test_workers_go_with_their_master_when_nothing_runs(tmp_path, offset):
    with serving(offset, tmp_path / "reports", "--processes", 2) as web:
        wait_for(lambda: ask(f"{web.url}worker-count").json["worker_count"] == 2)
        processes = psutil.Process(web.process.pid).children(recursive=True)
        assert sum("locust" in process.cmdline() for process in processes) == 3
    assert web.process.returncode == 0
    assert psutil.wait_procs(processes, timeout=5)[1] == []


def test_locust_that_dies_in_a_run_ends_it_all_and_what_it_left_is_judged(tmp_path, offset):
    with serving(offset, tmp_path / "reports") as web:
        assert web.swarm(scenario="sustained")["success"]
        wait_for(lambda: web.state()["run"]["done"] > 500)
        next(child for child in psutil.Process(web.process.pid).children() if "locust" in child.cmdline()).kill()
        assert web.process.wait(60) == 2
    assert "Locust ended with exit code -9" in web.said
    assert (web.newest("sustained") / "balancer.csv").exists()
    assert (web.newest("sustained") / "locust.log").exists()
    assert f"{web.newest('sustained')}: " in web.said  # why it cannot be judged


def test_who_interrupts_the_judging_is_told_where_the_run_is(tmp_path, offset):
    with serving(offset, tmp_path / "reports") as web:
        assert web.swarm(scenario="baseline")["success"]
        web.wait_until("judging")
        web.process.send_signal(signal.SIGINT)
        assert web.process.wait(60) == 130
    assert f"what was recorded is in {web.newest('baseline')}" in web.said
    assert manifest(web.newest("baseline"))["end"]["complete"]


def test_it_listens_where_it_is_told_under_the_name_that_it_prints(tmp_path, offset):
    with serving(offset, tmp_path / "reports", "--web-host", "::1") as web:
        url = web.said.split("web interface: ")[1].split()[0]
        assert url == f"http://[::1]:{8089 + offset}/"
        assert ask(f"{url}proof/state").json["phase"] == "ready"
    assert web.process.returncode == 0


def test_who_opens_it_to_others_is_given_a_password_that_they_need(tmp_path, offset, visit):
    with serving(offset, tmp_path / "reports", "--web-host", "0.0.0.0") as web:
        password = web.said.split("the password is ")[1].split()[0]
        for path in (
            "proof/state",
            "proof/distribution.csv",
            "proof/panel.js",
            "stats/requests",
            "proof/reports/1/a.png",
        ):
            assert b"authArgs" in ask(web.url + path).body
        assert b"authArgs" in ask(f"{web.url}swarm", b"scenario=baseline", headers={}).body
        visitor = visit(web.url)
        visitor.page.fill('[name="password"]', "wrong")
        visitor.page.get_by_role("button", name="Log in").click()
        visitor.page.get_by_text("That is not the password.").wait_for()
        visitor.keep("login")
        visitor.page.fill('[name="password"]', password)
        visitor.page.get_by_role("button", name="Log in").click()
        visitor.choose("baseline")
        visitor.wait_for(WHOLE)
        assert len(rows(web.newest("baseline"))) == 1000
        assert visitor.page.request.get(f"{web.url}proof/reports/1/nothing.png").status == 404
    assert web.process.returncode == 0


def test_it_ends_with_its_run_when_it_is_interrupted_and_when_it_is_killed(tmp_path, offset):
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


def test_what_cannot_be_served_is_refused_in_a_sentence(offset, tmp_path):
    refused = scenarios("web", "--web-host", "192.0.2.1", "--reports", tmp_path, offset=offset)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"cannot be at 192.0.2.1:{8089 + offset}: Cannot assign" in refused.stderr
    refused = scenarios("web", "--web-host", "no.such.name", "--reports", tmp_path, offset=offset)
    assert "WEB_HOST is 'no.such.name', which is no address" in refused.stderr
    refused = scenarios("web", "--scenario", "spik", "--reports", tmp_path, offset=offset)
    assert "did you mean spike?" in refused.stderr
    with serving(offset, tmp_path / "reports"):
        second = scenarios("web", "--reports", tmp_path, offset=offset)
        assert second.returncode == 2
        assert f"port {8089 + offset}, which Locust's web interface needs, is taken by process" in second.stderr


@contextmanager
def plain_locust(target, port, reports):
    """Locust as anybody starts it, with its web interface on this port. Gives its address."""
    command = [sys.executable, "-m", "locust", "-f", "locustfiles/baseline.py", "--host", f"http://{target}"]
    with subprocess.Popen(
        [*command, "--web-port", str(port), "--reports", str(reports)],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for(
                lambda: any(
                    each.laddr.port == port and each.status == psutil.CONN_LISTEN
                    for each in psutil.net_connections("tcp")
                )
            )
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


TAG = "<img src=x onerror=alert(1)>"


def test_names_are_text_and_a_run_without_witnesses_says_that_nobody_judges_it(visit, tmp_path):
    answer = f"HTTP/1.1 201 Created\r\nX-Host-Tag: {TAG}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    port = 8089 + port_offset(8089)
    with misbehaving(always(answer)) as address, plain_locust(address, port, tmp_path) as url:
        visitor = visit(url)
        visitor.page.locator("form").wait_for()
        assert visitor.page.locator('[name="host"]').is_visible()
        visitor.page.fill('[name="scaleRequests"]', "500")
        visitor.page.get_by_role("button", name="Start").click()
        visitor.wait_for(WHOLE)
        assert visitor.table()[3][0].strip() == TAG
        assert visitor.table()[3][3] == "500"
        visitor.wait_for("Nobody judges a run that was started like this")
        visitor.keep("stranger")
        visitor.open("Statistics")
        visitor.page.get_by_text(f"/models {TAG}").wait_for()
