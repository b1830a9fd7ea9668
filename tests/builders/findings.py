"""A judged run, as documents are made of it."""

import dataclasses
from html.parser import HTMLParser

import pandas as pd

from analysis.checks.check import Check, Outcome, Source
from analysis.checks.split import SPLIT
from analysis.documents.findings import Findings
from analysis.verdict import Verdict
from scenarios.formats.columns import Column
from tests.builders.evidence import manifest, scenario

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (300).to_bytes(4, "big") + b"and so on"  # 300 pixels wide
DISTRIBUTION = pd.DataFrame({Column.ANSWERED: [1000]}, index=pd.Index(["a"], name=Column.HOST_TAG))
LATENCY = pd.DataFrame(
    {Column.COUNT: [1000, 1000], Column.P99_MS: [7.25, 7.25]},
    index=pd.MultiIndex.from_tuples([("a", "steady"), ("all", "steady")], names=[Column.HOST_TAG, Column.STAGE]),
)


def check(outcome=Outcome.PASS, subject="a", observed="seen", kind=SPLIT):
    return Check(kind=kind, subject=subject, expected="exactly so", observed=observed, outcome=outcome)


def with_evidence(file):
    """The kind of a check whose evidence is in this file."""
    return dataclasses.replace(SPLIT, evidence=Source(file, ()))


def findings_in(directory):
    """Judged runs there: called with its checks, it gives one."""

    def findings(*checks, pictures=(), distribution=DISTRIBUTION, **of_manifest):
        for picture in pictures:
            (directory / f"{picture.name}.png").write_bytes(PNG)
        worst = max((check.outcome for check in checks), key=list(Outcome).index)
        return Findings(
            directory=directory,
            manifest=manifest(scenario(1000), {"a": 1}).model_copy(update=of_manifest),
            verdict=Verdict(scenario="made", doubt="", doubt_all_along="", outcome=worst, checks=list(checks)),
            tables={"distribution": distribution, "latency": LATENCY},
            pictures=list(pictures),
        )

    return findings


class Text(HTMLParser):
    """The text of a page as a reader sees it, the names of its elements, and its links."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.words, self.links = [], [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())
