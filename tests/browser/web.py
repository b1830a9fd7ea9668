"""`make web` as a process, and its pages as a person uses them."""

import os
import signal
import subprocess
from contextlib import contextmanager

from scenarios.stacks.stack import PROJECT
from tests.builders.commands import words_of_scenarios
from tests.builders.http import ask
from tests.builders.processes import running, wait_for

SCREENSHOTS = PROJECT / ".screenshots"
WHOLE = "every request was answered"


class Web:
    """The web interface that a process offers, and what it leaves."""

    def __init__(self, process, url, reports, output):
        self.process, self.url, self.reports, self._output = process, url, reports, output

    @property
    def said(self):
        return self._output.read_text()

    def state(self):
        return ask(f"{self.url}proof/state").json

    def wait_until(self, *phases, within_s=60.0):
        wait_for(lambda: self.state()["phase"] in phases, within_s)
        return self.state()

    def swarm(self, **form):
        """Start a run without a browser; what the form would show."""
        text = "&".join(f"{key}={value}" for key, value in form.items())
        return ask(f"{self.url}swarm", text.encode()).json

    def newest(self, scenario):
        """The report directory of the newest run."""
        return max(path for path in (self.reports / scenario).iterdir() if path.name != "latest")


@contextmanager
def serving(offset, reports, *arguments, stack="local", **environment):
    """`python -m scenarios web`, until the body is done; then it is interrupted, and has to end in order."""
    output = reports.with_name("said.txt")
    words = words_of_scenarios("web", "--reports", reports, *arguments, offset=offset, stack=stack)
    options = {"env": os.environ | environment, "stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    with output.open("wb") as said, running(words, stdout=said, **options) as process:
        web = Web(process, f"http://127.0.0.1:{8089 + offset}/", reports, output)
        wait_for(lambda: "web interface:" in web.said or process.poll() is not None, 120)
        assert process.poll() is None, web.said
        yield web
        process.send_signal(signal.SIGINT)
        process.wait(60)


class Visitor:
    """Somebody with a browser at a page of Locust, who notes what goes wrong there."""

    def __init__(self, page, url):
        self.page, self.wrong = page, []
        page.on("console", lambda message: self.wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", self._dismiss)
        page.goto(url)

    def _dismiss(self, dialog):
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def choose(self, scenario, requests=0, users=0):
        """Fill in the form, which stands on the page at first and behind a button later, and start."""
        self.page.locator('form, header button:has-text("New")').first.wait_for()
        if self.page.locator("form").count() == 0:
            self.page.get_by_role("button", name="New").click()
        self.page.select_option('select[name="scenario"]', scenario)
        self.page.fill('[name="scaleRequests"]', str(requests))
        self.page.fill('[name="scaleUsers"]', str(users))
        self.page.get_by_role("button", name="Start").click()

    def begin(self, scenario, **sizes):
        """Start a run, and wait until the page shows it."""
        shown = self.page.evaluate("fetch('./proof/state').then((answer) => answer.json())").get("number", 0)
        self.choose(scenario, **sizes)
        self.page.locator(f'#proof[data-run="{shown + 1}"]').wait_for()

    def open(self, tab):
        self.page.get_by_role("tab", name=tab).click()

    def wait_for(self, text, within_s=60):
        self.page.locator("#proof").get_by_text(text).first.wait_for(timeout=within_s * 1000)

    def table(self):
        """The table of the split, row by row, as text."""
        rows = self.page.locator("#proof tbody tr").all()
        return [row.locator("th, td").all_inner_texts() for row in rows]

    def keep(self, name):
        """Keep a screenshot to look at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
