"""Which pictures a report has, in the order in which a reader wants them, and how they get on paper."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from analysis import generator
from analysis.evidence import Evidence
from analysis.pictures.generator import generator_figure
from analysis.pictures.latency import distribution_figure, latency_figure
from analysis.pictures.resources import resource_figures
from analysis.pictures.running import ledgers_figure, running_figure
from analysis.pictures.style import colours, styled
from analysis.tables import Tables
from analysis.verdict import Verdict


class Picture(NamedTuple):
    """A picture of a report: `<name>.png`, and its title, which is the answer to its question."""

    name: str
    answer: str


def draw(directory: Path, evidence: Evidence, tables: Tables, verdict: Verdict) -> list[Picture]:
    """Draw every picture of a run into its report directory."""
    pictures = []
    with styled():
        for name, figure in _figures(evidence, tables, verdict):
            figure.savefig(directory / f"{name}.png")
            plt.close(figure)
            pictures.append(Picture(name, figure.get_suptitle()))
    return pictures


def _figures(evidence: Evidence, tables: Tables, verdict: Verdict) -> Iterator[tuple[str, Figure]]:
    yield "distribution", distribution_figure(tables.distribution)
    yield "latency", latency_figure(tables.latency, evidence.stages, evidence.backends)
    if evidence.stack is not None:
        yield "ledgers", ledgers_figure(tables.reconciliation, tables.differences)
        yield (
            "running",
            running_figure(tables.running, tables.distribution["allowed"], verdict.doubt),
        )
    if len(tables.sampled):
        at_s, asked, pulses = generator.drawn(evidence, tables.sampled)
        yield "generator", generator_figure(at_s, asked, pulses, tables.overhead)
    if len(tables.usage):
        yield from resource_figures(tables.intervals, tables.usage, colours(evidence.backends))
