"""Locust's web interface in its container: a run that is started there is witnessed and judged like any."""

import pandas as pd
import pytest

from tests.browser.web import serving
from tests.builders.http import ask
from tests.builders.processes import wait_for
from tests.builders.whole_runs import broken, manifest, rows


@pytest.fixture
def web(stack, reports):
    with serving(stack.port_offset, reports, "--processes", 2, stack="compose") as web:
        wait_for(lambda: ask(f"{web.url}worker-count").json["worker_count"] == 2)
        yield web
    assert web.process.returncode == 0
    assert stack.is_up()


def test_run_in_the_container_is_that_of_the_report_and_another_follows(web):
    for number, total in ((1, 1000), (2, 2000)):
        assert web.swarm(scenario="baseline", scale_requests=total) | {"host": ""} == {
            "success": True,
            "message": "Baseline has begun",
            "host": "",
        }
        state = web.wait_until("over")
        assert (state["number"], state["run"]["done"], state["messages"]) == (number, total, [])
        directory = web.newest("baseline")
        assert broken(directory) == {}
        assert len(rows(directory)) == total
        assert (manifest(directory)["stack"], manifest(directory)["processes"]) == ("compose", 2)
        shown = {part["host_tag"]: part["answered"] for part in state["table"]}
        assert shown == dict(pd.read_csv(directory / "distribution.csv").set_index("host_tag")["answered"])
        assert state["verdict"]["outcome"] == "PASS"
        assert "locust" in set(pd.read_csv(directory / "resources.csv")["service"])
