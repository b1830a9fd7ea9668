"""What needs a real browser: Chromium, in which a report is opened from its file, as a person would."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

from tests.conftest import PROJECT

HERE = "tests/browser"
NAMES = ("chromium", "chromium-browser", "google-chrome")
NONE = f"no browser: install one of {', '.join(NAMES)}, or let CHROMIUM name it"


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(PROJECT / HERE):
            item.add_marker(pytest.mark.browser)


def chromium():
    """The path of the browser; None where there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
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


class Visit:
    """A page that was opened, and what happened on the way."""

    def __init__(self, page, address):
        self.page, self.asked, self.said = page, [], []
        page.context.set_offline(True)
        page.route("**/*", self._allow_files)
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", self._dismiss)
        page.goto(address)

    def _allow_files(self, route):
        self.asked.append(route.request.url)
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            route.abort()

    def _dismiss(self, dialog):
        self.said.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture
def visit(browser):
    """Open a report in a window of this size, in a context of its own."""
    contexts = []

    def visit(directory, width=1280, height=900, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **options))
        return Visit(contexts[-1].new_page(), (directory / "report.html").as_uri())

    yield visit
    for context in contexts:
        context.close()
