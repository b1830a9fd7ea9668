"""Every table of a report: computed once, judged, drawn, and written to be looked at closer."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.faults.accounting import unaccounted
from analysis.faults.aftermath import Aftermath
from analysis.faults.course import Course
from analysis.measures import generator, resources
from analysis.measures.attempts import Attempts
from analysis.measures.latency import latency, ordered, percentiles
from analysis.measures.latency_parts import parts
from analysis.measures.matching import Matching
from analysis.measures.reconciliation import differences, reconciliation
from analysis.measures.running_split import running
from analysis.measures.statistics import distribution
from analysis.measures.timeline import timeline
from scenarios.formats.columns import Column

DECIMALS = 3
OF_DISTRIBUTION = {Column.EXPECTED: 3, Column.SHARE: 6, Column.DEVIATION: 3, Column.ALLOWED: 3}
OF_COURSE = {Column.AT_S: 3, Column.SECONDS: 3, Column.SHARE: 6, Column.PREDICTED: 6}


@dataclass(frozen=True)
class Tables:
    """What was computed from the evidence. Each says in the function that it comes from what it holds."""

    matching: Matching
    distribution: pd.DataFrame
    latency: pd.DataFrame
    percentiles: pd.DataFrame
    parts: pd.DataFrame
    timeline: pd.DataFrame
    sampled: pd.DataFrame
    stages: pd.DataFrame
    processes: pd.DataFrame
    overhead: pd.DataFrame
    intervals: pd.DataFrame
    usage: pd.DataFrame
    reconciliation: pd.DataFrame
    differences: pd.DataFrame
    unaccounted: pd.DataFrame
    running: pd.DataFrame
    aftermath: Aftermath | None
    course: Course | None

    @classmethod
    def of(cls, evidence: Evidence) -> "Tables":
        """Compute them all."""
        sampled = generator.totals(evidence)
        intervals = resources.intervals(evidence)
        matching, attempts = Matching.of(evidence), Attempts.of(evidence)
        latencies = ordered(evidence)
        of_latency = {"latency": latency(latencies), "percentiles": percentiles(latencies)}
        del latencies  # as large as a ledger
        reconciled = reconciliation(evidence, matching, attempts)
        aftermath = Aftermath.of(evidence, matching)
        differing = differences(evidence, matching, attempts, reconciled)
        return cls(
            matching=matching,
            distribution=distribution(evidence),
            **of_latency,
            parts=parts(evidence, matching),
            timeline=timeline(evidence, sampled),
            sampled=sampled,
            stages=generator.stages(evidence, sampled),
            processes=generator.processes(evidence),
            overhead=generator.overhead(evidence, matching),
            intervals=intervals,
            usage=resources.usage(evidence, intervals),
            reconciliation=reconciled,
            differences=differing,
            unaccounted=unaccounted(differing, evidence, aftermath),
            running=running(evidence),
            aftermath=aftermath,
            course=Course.of(evidence, sampled, aftermath),
        )

    def files(self, evidence: Evidence) -> Iterator[tuple[str, pd.DataFrame]]:
        """The name and the content of each table's file."""
        yield "distribution", self.distribution.round(OF_DISTRIBUTION)
        yield "latency", self.latency.round(DECIMALS)
        yield "percentiles", self.percentiles.round(DECIMALS).set_index(Column.HOST_TAG)
        if len(self.parts):
            yield "parts", self.parts.round(DECIMALS)
        yield "timeline", self.timeline.round(DECIMALS)
        yield "stages", self.stages.round(DECIMALS)
        yield "totals", self.sampled
        yield "processes", self.processes.round(DECIMALS)
        yield "overhead", self.overhead.round(DECIMALS)
        if len(self.usage):
            yield "intervals", self.intervals.round(DECIMALS).set_index(Column.SERVICE)
            yield "usage", self.usage.round(DECIMALS)
        if evidence.stack is not None:
            yield "reconciliation", self.reconciliation.astype({Column.PROCESSED: "Int64"})
            yield "differences", self.differences.set_index(Column.DIFFERENCE)
            yield "running", self.running.round(DECIMALS).set_index(Column.HOST_TAG)
        if self.aftermath is not None:
            yield "aftermath", self.aftermath.table.round(DECIMALS)
        if self.course is not None:
            yield "course", self.course.shares.round(OF_COURSE).set_index(Column.AT_S)
            yield "losses_over_time", self.course.losses_over_time.round(DECIMALS).set_index(Column.AT_S)
