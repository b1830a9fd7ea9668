"""Who reaches Locust's web interface, under which name, and what is served there."""

import psutil

from tests.browser.web import WHOLE, serving
from tests.builders.commands import scenarios
from tests.builders.http import ask
from tests.builders.whole_runs import rows


def test_page_of_another_site_is_refused(idle):
    before = idle.state()
    for path, data in (("proof/state", None), ("swarm", b"scenario=baseline"), ("stop", b"")):
        refused = ask(idle.url + path, data, headers={"Origin": "http://example.com"})
        assert refused.status == 403
        assert b"http://example.com" in refused.body
    assert ask(idle.url, headers={"Host": "example.com"}).status == 400
    assert ask(f"{idle.url}proof/state", headers={"Origin": idle.url.rstrip("/")}).json == before


def test_web_interface_listens_on_this_machine_only(idle):
    port = int(idle.url.rstrip("/").rpartition(":")[2])
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    }
    assert listening == {"127.0.0.1"}


def test_web_interface_at_another_address_answers_where_it_says(tmp_path, offset):
    with serving(offset, tmp_path / "reports", "--web-host", "::1") as web:
        url = web.said.split("web interface: ")[1].split()[0]
        assert url == f"http://[::1]:{8089 + offset}/"
        assert ask(f"{url}proof/state").json["phase"] == "ready"
    assert web.process.returncode == 0


def test_web_interface_open_to_others_needs_its_password(tmp_path, offset, browse):
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
        visitor = browse(web.url)
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


def test_web_interface_that_cannot_be_served_is_refused_in_a_sentence(offset, tmp_path):
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
