"""What needs a real browser: Chromium, in which a person would open a report, or Locust's web interface."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

from scenarios.stacks.stack import PROJECT
from tests.browser.report_page import Visit
from tests.browser.web import Visitor, serving
from tests.builders.free_ports import port_offset
from tests.builders.local_stacks import PORTS, WEB_PORT, forget, processes_of

HERE = "tests/browser"
NAMES = ("chromium", "chromium-browser", "google-chrome")
WAITS_S = 30.0
GONE = "ERR_CONNECTION_REFUSED"  # what a page says that outlives Locust
NONE = f"no browser: install one of {', '.join(NAMES)}, or let CHROMIUM name it"


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(PROJECT / HERE):
            item.add_marker(pytest.mark.browser)


def chromium():
    """The path of the browser; None where there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser():
    """The browser, without which these tests say why they are skipped."""
    path = chromium()
    if path is None and os.environ.get("BROWSER_REQUIRED"):
        pytest.fail(NONE)
    if path is None:
        pytest.skip(NONE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])  # or root may not start it
        yield browser
        browser.close()


def new_context(browser, width=1280, height=900, **options):
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_default_timeout(1000 * WAITS_S)
    return context


@pytest.fixture
def visit(browser):
    """Open a report in a window of this size, in a context of its own."""
    contexts = []

    def visit(directory, width=1280, height=900, **options):
        contexts.append(new_context(browser, width, height, **options))
        return Visit(contexts[-1].new_page(), (directory / "report.html").as_uri())

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def web(tmp_path_factory):
    """One web interface for all tests that only use it."""
    offset = port_offset(*PORTS, WEB_PORT)
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
def browse(browser):
    """Open a page of the web interface in a context of its own, and see to it that nothing went wrong there."""
    contexts, visitors = [], []

    def browse(url, **options):
        contexts.append(new_context(browser, accept_downloads=True, **options))
        visitors.append(Visitor(contexts[-1].new_page(), url))
        return visitors[-1]

    yield browse
    for context in contexts:
        context.close()
    assert [wrong for visitor in visitors for wrong in visitor.wrong if GONE not in wrong] == []
