"""What the open web interface costs a run: `python -m tests.browser.cost [STACK] [ROUNDS]`, with that stack up.

Turn by turn the same scenario is run without an interface and in one, with a browser at its live tab, on this machine.
What is compared is the rate of answers and the generator's CPU per request. A ratio below 1 is a slower run.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median

import pandas as pd
from playwright.sync_api import sync_playwright

from scenarios.formats.columns import Column
from tests.browser.conftest import chromium
from tests.browser.web import Visitor, serving
from tests.builders.commands import scenarios

SCENARIO = "sustained"


def rate_and_cpu(directory):
    """Answers per second, and µs of the generator's CPU per request."""
    responses = pd.read_csv(directory / "responses.csv")
    ended_us = responses[Column.SENT_US] + responses[Column.LATENCY_US]
    used_us = (
        pd.read_csv(directory / "generator.csv")
        .groupby(Column.PROCESS)[Column.CPU_US]
        .agg(lambda cpu: cpu.max() - cpu.min())
    )
    return len(responses) / (ended_us.max() - responses[Column.SENT_US].min()) * 1e6, used_us.sum() / len(responses)


def without(stack, reports):
    """A run from the command line."""
    ended = scenarios("run", SCENARIO, "--reports", reports, stack=stack, within_s=300)
    assert ended.returncode in (0, 3), ended.stderr
    return rate_and_cpu(reports / SCENARIO / "latest")


def within(stack, reports, browser, *, extended):
    """A run that is watched in a browser; without the extension the page shows what Locust has by itself."""
    reports.parent.mkdir(parents=True)
    with serving(0, reports, stack=stack) as web:
        page = browser.new_page()
        if extended:
            Visitor(page, web.url).begin(SCENARIO)
        else:
            page.route("**/proof/**", lambda route: route.abort())
            assert web.swarm(scenario=SCENARIO)["success"]
            page.goto(web.url)
        web.wait_until("over", within_s=300)
        page.close()
    return rate_and_cpu(reports / SCENARIO / "latest")


def main():
    """Print every round and the medians of their ratios."""
    stack, rounds = (*sys.argv[1:], *("compose", "5")[len(sys.argv) - 1 :])
    ratios = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as directory:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for number in range(int(rounds)):
            place = Path(directory) / str(number)
            headless = without(stack, place)
            stock = within(stack, place / "stock" / "reports", browser, extended=False)
            watched = within(stack, place / "watched" / "reports", browser, extended=True)
            ratios.append([(watched[0] / other[0], watched[1] / other[1]) for other in (headless, stock)])
            for name, (rate, cpu_us) in {
                "headless": headless,
                "Locust's page": stock,
                "with the split": watched,
            }.items():
                print(f"{name:<15} {rate:>6,.0f}/s {cpu_us:>6.1f} µs", flush=True)
        browser.close()
    for name, found in zip(("headless", "Locust's page"), zip(*ratios, strict=True), strict=True):
        rate, cpu = (median(numbers) for numbers in zip(*found, strict=True))
        print(f"with the split, of {name}: rate x {rate:.3f}, CPU per request x {cpu:.3f}")


if __name__ == "__main__":
    main()
