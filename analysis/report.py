"""The whole step: a report directory in; tables, pictures and a verdict beside the ledgers out."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from analysis import generator
from analysis.evidence import Evidence
from analysis.generator_plots import generator_figure
from analysis.plots import distribution_figure, latency_figure
from analysis.resource_plots import resource_figures
from analysis.resources import intervals, usage
from analysis.statistics import distribution, latency, timeline
from analysis.style import colours, styled
from analysis.verdict import Tables, Verdict, judge


def report(directory: Path) -> Verdict:
    """Analyse a run. Raises `UsageError` when its evidence is incomplete or damaged."""
    evidence = Evidence.read(directory)
    sampled = generator.totals(evidence)
    tables = Tables(
        distribution(evidence), latency(evidence), generator.stages(evidence, sampled), generator.overhead(evidence),
        intervals(evidence),
    )  # fmt: skip
    used = usage(evidence, tables.intervals)
    _write(
        tables.distribution.round({"expected": 3, "share": 6, "deviation": 3, "allowed": 3}), directory, "distribution"
    )
    _write(tables.latency.round(3), directory, "latency")
    _write(timeline(evidence, sampled["users"]).round(3), directory, "timeline")
    _write(tables.stages.round(3), directory, "stages")
    _write(generator.processes(evidence).round(3), directory, "processes")
    _write(tables.overhead.round(3), directory, "overhead")
    if len(used):
        _write(used.round(3), directory, "usage")
    with styled():
        for name, figure in _figures(evidence, tables, sampled, used):
            figure.savefig(directory / f"{name}.png")
            plt.close(figure)
    verdict = judge(evidence, tables)
    (directory / "verdict.json").write_text(verdict.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return verdict


def _figures(
    evidence: Evidence, tables: Tables, sampled: pd.DataFrame, used: pd.DataFrame
) -> Iterator[tuple[str, Figure]]:
    yield "distribution", distribution_figure(tables.distribution)
    yield "latency", latency_figure(tables.latency, evidence.stages, evidence.backends)
    if len(sampled):
        at_s, asked, pulses = generator.drawn(evidence, sampled)
        yield "generator", generator_figure(at_s, asked, pulses, tables.overhead)
    if len(used):
        yield from resource_figures(tables.intervals, used, colours(evidence.backends))


def _write(table: pd.DataFrame, directory: Path, name: str) -> None:
    table.to_csv(directory / f"{name}.csv", lineterminator="\n")
