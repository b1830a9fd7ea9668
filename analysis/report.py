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
from analysis.proof_plots import ledgers_figure, running_figure
from analysis.reconciliation import differences, reconciliation
from analysis.resource_plots import resource_figures
from analysis.resources import intervals, usage
from analysis.running import running
from analysis.split_checks import doubt_of
from analysis.statistics import distribution, latency, timeline
from analysis.style import colours, styled
from analysis.verdict import Tables, Verdict, judge


def report(directory: Path) -> Verdict:
    """Analyse a run. Raises `UsageError` when its evidence is incomplete or damaged."""
    evidence = Evidence.read(directory)
    sampled = generator.totals(evidence)
    tables = tables_of(evidence, sampled)
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
    if evidence.stack is not None:
        _write(tables.reconciliation.astype({"processed": "Int64"}), directory, "reconciliation")
        _write(tables.differences.set_index("difference"), directory, "differences")
        _write(tables.running.round(3).set_index("host_tag"), directory, "running")
    with styled():
        for name, figure in _figures(evidence, tables, sampled, used):
            figure.savefig(directory / f"{name}.png")
            plt.close(figure)
    verdict = judge(evidence, tables)
    (directory / "verdict.json").write_text(verdict.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return verdict


def tables_of(evidence: Evidence, sampled: pd.DataFrame) -> Tables:
    """Everything that is judged. `sampled` are the totals of the generator's samples."""
    reconciled = reconciliation(evidence)
    return Tables(
        distribution=distribution(evidence),
        latency=latency(evidence),
        stages=generator.stages(evidence, sampled),
        overhead=generator.overhead(evidence),
        intervals=intervals(evidence),
        reconciliation=reconciled,
        differences=differences(evidence, reconciled),
        running=running(evidence),
    )


def _figures(
    evidence: Evidence, tables: Tables, sampled: pd.DataFrame, used: pd.DataFrame
) -> Iterator[tuple[str, Figure]]:
    yield "distribution", distribution_figure(tables.distribution)
    yield "latency", latency_figure(tables.latency, evidence.stages, evidence.backends)
    if evidence.stack is not None:
        yield "ledgers", ledgers_figure(tables.reconciliation, tables.differences)
        yield (
            "running",
            running_figure(tables.running, tables.distribution["allowed"], doubt_of(evidence, tables.differences)),
        )
    if len(sampled):
        at_s, asked, pulses = generator.drawn(evidence, sampled)
        yield "generator", generator_figure(at_s, asked, pulses, tables.overhead)
    if len(used):
        yield from resource_figures(tables.intervals, used, colours(evidence.backends))


def _write(table: pd.DataFrame, directory: Path, name: str) -> None:
    table.to_csv(directory / f"{name}.csv", lineterminator="\n")
