"""Locust's web interface with the split live in it, used in a real browser against the real stack."""

import csv
import io
import json
import signal
import subprocess
from contextlib import contextmanager

import pandas as pd
import psutil
import pytest

from scenarios.spec.scenario import names
from tests.browser.web import WHOLE
from tests.builders.commands import scenarios, words_of_locust
from tests.builders.free_ports import port_offset
from tests.builders.http import ask
from tests.builders.misbehaving_target import always
from tests.builders.misbehaving_target import serving as misbehaving
from tests.builders.processes import running, wait_for
from tests.builders.whole_runs import broken, manifest, rows

HIDDEN = ("userCount", "spawnRate", "runTime", "host")


def downloaded(visitor):
    with visitor.page.expect_download() as download:
        visitor.page.get_by_text("Download this table as CSV").click()
    assert download.value.suggested_filename == "distribution.csv"
    return list(csv.DictReader(io.StringIO(download.value.path().read_text())))


def test_form_asks_for_a_scenario_and_not_for_its_settings(idle, browse):
    page = browse(idle.url).page
    page.locator('select[name="scenario"]').wait_for()
    assert page.input_value('select[name="scenario"]') == "spike"
    assert page.locator('select[name="scenario"] option').all_inner_texts() == names()
    page.get_by_text("20,000 requests, 10,000 users. The configured split holds").wait_for()
    page.select_option('select[name="scenario"]', "baseline")
    page.get_by_text("1,000 requests, 100 users. A hundred users get").wait_for()
    assert [name for name in HIDDEN if page.locator(f'[name="{name}"]').is_visible()] == []


@pytest.mark.full
@pytest.mark.alone
def test_spike_is_watched_to_its_verdict_and_its_numbers_are_those_of_the_report(idle, browse):
    visitor = browse(idle.url)
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


def test_each_backend_has_a_row_in_locusts_own_table(idle, browse):
    visitor = browse(idle.url)
    visitor.begin("baseline")
    visitor.wait_for(WHOLE)
    visitor.open("Statistics")
    visitor.page.get_by_text("/models back-03").wait_for()
    counted = {row["name"]: row["num_requests"] for row in ask(f"{idle.url}stats/requests").json["stats"]}
    parts = {part["host_tag"]: part["answered"] for part in idle.state()["table"]}
    assert counted == {f"/models {tag}": count for tag, count in parts.items()} | {"Aggregated": 1000}


@pytest.mark.full
def test_run_from_the_form_leaves_what_one_from_make_leaves(idle, tmp_path, offset):
    assert idle.swarm(scenario="baseline", scale_requests=0, scale_users=0)["success"]
    idle.wait_until("over")
    assert scenarios("run", "baseline", "--reports", tmp_path, offset=offset).returncode in (0, 3)
    by_make = {path.name for path in (tmp_path / "baseline" / "latest").iterdir()}
    assert {path.name for path in idle.newest("baseline").iterdir()} == by_make
    assert broken(idle.newest("baseline")) == {}
    assert "All users spawned" in (idle.newest("baseline") / "locust.log").read_text()


def test_run_survives_reset_reload_and_second_browser(idle, browse):
    first, second = browse(idle.url), browse(idle.url, color_scheme="dark")
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


def test_run_stopped_is_an_aborted_one_and_says_so(idle, browse):
    visitor = browse(idle.url)
    visitor.begin("sustained")
    wait_for(lambda: idle.state()["run"]["done"] > 1000 and idle.state()["phase"] == "running")
    refused = idle.swarm(scenario="baseline")
    assert not refused["success"]
    assert refused["message"].startswith("Sustained has been running for ")
    assert refused["message"].endswith("stop it first, or wait for its end")
    visitor.page.get_by_role("button", name="Stop").click()
    visitor.wait_for("The run ended early: it was stopped.")
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
def test_form_without_sense_is_refused_in_words(form, sentence, idle):
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
def test_path_outside_the_reports_of_own_runs_is_not_served(path, judged_once):
    assert ask(f"{judged_once.url}proof/reports/1/report.html").status == 200
    assert ask(judged_once.url + path).status in (400, 404)


def test_form_with_foreign_fields_sets_only_its_own(idle, tmp_path):
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


@contextmanager
def plain_locust(target, port, reports):
    """Locust as anybody starts it, with its web interface on this port. Gives its address."""
    words = words_of_locust(f"http://{target}", "--web-port", port, "--reports", reports)
    with running(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(
            lambda: any(
                each.laddr.port == port and each.status == psutil.CONN_LISTEN for each in psutil.net_connections("tcp")
            )
        )
        yield f"http://127.0.0.1:{port}/"
        process.send_signal(signal.SIGINT)
        process.wait(30)


TAG = "<img src=x onerror=alert(1)>"


def test_run_of_plain_locust_shows_names_as_text_and_no_verdict(browse, tmp_path):
    answer = f"HTTP/1.1 201 Created\r\nX-Host-Tag: {TAG}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    port = 8089 + port_offset(8089)
    with misbehaving(always(answer)) as address, plain_locust(address, port, tmp_path) as url:
        visitor = browse(url)
        visitor.page.locator("form").wait_for()
        assert visitor.page.locator('[name="host"]').is_visible()
        visitor.page.fill('[name="scaleRequests"]', "500")
        visitor.page.get_by_role("button", name="Start").click()
        visitor.wait_for(WHOLE)
        assert visitor.table()[3][0].strip() == TAG
        assert visitor.table()[3][3] == "500"
        visitor.wait_for("This run is not judged")
        visitor.keep("stranger")
        visitor.open("Statistics")
        visitor.page.get_by_text(f"/models {TAG}").wait_for()
