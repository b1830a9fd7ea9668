"""Draws the pictures of a report, in the order in which a reader needs them."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from analysis.charts.distribution import distribution_figure
from analysis.charts.drawing.sheet import save
from analysis.charts.drawing.stages import spans
from analysis.charts.drawing.style import colours, styled
from analysis.charts.faults import faults_figure
from analysis.charts.generator import generator_figure
from analysis.charts.latency import latency_figure
from analysis.charts.latency_parts import parts_figure
from analysis.charts.ledgers import ledgers_figure
from analysis.charts.over_time import latency_over_time_figure, throughput_figure
from analysis.charts.resources import resource_figures
from analysis.charts.running_split import running_figure
from analysis.charts.summary import summary_figure
from analysis.evidence.evidence import Evidence
from analysis.measures import generator
from analysis.measures.timeline import lasted_s
from analysis.tables import Tables
from analysis.verdict import Verdict
from scenarios.formats.columns import Column
from scenarios.formats.rows import BACKENDS, BALANCER, RESPONSES

PICTURES = (
    *(
        "summary",
        "faults",
        "distribution",
        "latency",
        "latency_over_time",
        "throughput",
        "latency_parts",
        "ledgers",
        "running",
    ),
    *("generator", "cpu", "memory", "network", "disk"),
)


class Picture(NamedTuple):
    """A picture of a report: `<name>.png`, and its title, which is the answer to its question."""

    name: str
    answer: str


def draw(directory: Path, evidence: Evidence, tables: Tables, verdict: Verdict) -> list[Picture]:
    """Draw every picture of a run into its report directory."""
    pictures = []
    with styled():
        for name, figure in figures(evidence, tables, verdict):
            save(figure, directory / f"{name}.png")
            pictures.append(Picture(name, figure.get_suptitle().replace("\n", " ")))
    return pictures


def figures(evidence: Evidence, tables: Tables, verdict: Verdict) -> Iterator[tuple[str, Figure]]:
    """A name and a figure for everything that this run can show. Call it inside `styled()`."""
    if RESPONSES not in evidence.missing:
        yield from _of_client(evidence, tables, verdict)
    if evidence.stack is not None and not {RESPONSES, BALANCER, BACKENDS}.intersection(evidence.missing):
        yield from _of_ledgers(tables, verdict, with_faults=bool(evidence.manifest.scenario.faults))
    if len(tables.sampled):
        at_s, asked, samples = generator.drawn(evidence, tables.sampled)
        yield (
            "generator",
            generator_figure(at_s, asked, samples, tables.overhead, evidence.manifest.scenario.peak_users),
        )
    if len(tables.usage):
        yield from resource_figures(tables.intervals, tables.usage, colours(evidence.backends))


def _of_client(evidence: Evidence, tables: Tables, verdict: Verdict) -> Iterator[tuple[str, Figure]]:
    yield "summary", summary_figure(evidence, tables, verdict)
    if tables.course is not None and tables.aftermath is not None:
        stages = spans(tables.timeline)
        yield "faults", faults_figure(tables.course, tables.aftermath.table, stages, verdict.checks)
    yield "distribution", distribution_figure(tables.distribution, verdict.doubt, verdict.of_stages)
    yield "latency", latency_figure(tables.percentiles, tables.latency, evidence.stages, evidence.backends)
    yield "latency_over_time", latency_over_time_figure(tables.timeline)
    yield "throughput", throughput_figure(tables.timeline, lasted_s(evidence))


def _of_ledgers(tables: Tables, verdict: Verdict, *, with_faults: bool) -> Iterator[tuple[str, Figure]]:
    yield "latency_parts", parts_figure(tables.parts)
    yield "ledgers", ledgers_figure(tables.reconciliation, tables.differences, tables.unaccounted)
    if not with_faults:  # no bound holds from one stage to the next
        yield "running", running_figure(tables.running, tables.distribution[Column.ALLOWED], verdict.doubt_all_along)
