"""The whole step: a report directory in; tables, pictures and a verdict beside the ledgers out."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from analysis.evidence import Evidence
from analysis.plots import distribution_figure, latency_figure
from analysis.resource_plots import resource_figures
from analysis.resources import intervals, usage
from analysis.statistics import distribution, latency, timeline
from analysis.style import colours, styled
from analysis.verdict import Verdict, judge


def report(directory: Path) -> Verdict:
    """Analyse a run. Raises `UsageError` when its evidence is incomplete or damaged."""
    evidence = Evidence.read(directory)
    split, times, seconds = distribution(evidence), latency(evidence), timeline(evidence)
    _write(split.round({"expected": 3, "share": 6, "deviation": 3, "allowed": 3}), directory / "distribution.csv")
    _write(times.round(3), directory / "latency.csv")
    _write(seconds.round(3), directory / "timeline.csv")
    samples = intervals(evidence)
    used = usage(evidence, samples)
    if len(used):
        _write(used.round(3), directory / "usage.csv")
    with styled():
        _save(distribution_figure(split), directory / "distribution.png")
        _save(latency_figure(times, evidence.stages, evidence.backends), directory / "latency.png")
        if len(used):
            for name, figure in resource_figures(samples, used, colours(evidence.backends)):
                _save(figure, directory / f"{name}.png")
    verdict = judge(evidence, split, times, samples)
    (directory / "verdict.json").write_text(verdict.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return verdict


def _write(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, lineterminator="\n")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path)
    plt.close(figure)
