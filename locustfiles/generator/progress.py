"""The progress of a run for a person: a live display on a terminal, a plain line from time to time elsewhere."""

import time

from locust.stats import StatsEntry
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from locustfiles.generator.records.live_split import LiveSplit
from scenarios.cli.console import Console
from scenarios.formats.report_directory import Manifest

LINE_EVERY_S = 2.0
BAR_WIDTH = 30


class Progress:
    """Shows on standard error how far a run is."""

    def __init__(self, manifest: Manifest) -> None:
        self._scenario = manifest.scenario
        self._weights = manifest.claim.weights
        self._started_at = self._shown_at = time.monotonic()
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        if self._console.is_terminal:
            self._live.start()

    def show(self, stage: str, users: int, split: LiveSplit, total: StatsEntry) -> None:
        """Show the current state. Latencies are Locust's own, which it rounds; the report has the exact ones."""
        if self._console.is_terminal:
            self._live.update(self._display(stage, users, split, total), refresh=True)
        elif time.monotonic() - self._shown_at >= LINE_EVERY_S:
            self._shown_at = time.monotonic()
            self._print(self._line(stage, users, split, total))

    def end(self, split: LiveSplit, reason: str) -> None:
        """Replace the display by one line that stays."""
        self._live.stop()
        seconds = time.monotonic() - self._started_at
        self._print(f"{self._scenario.name}: {self._done(split)} in {seconds:.1f} s: {reason}")

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False)

    def _done(self, split: LiveSplit) -> str:
        done = split.requests
        failed = f", {split.failed.total():,} failed" if split.failed else ""
        return f"{done:,} of {self._scenario.requests:,} requests{failed}"

    def _display(self, stage: str, users: int, split: LiveSplit, total: StatsEntry) -> Group:
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            f"{self._scenario.name} {stage}",
            ProgressBar(self._scenario.requests, split.requests, width=BAR_WIDTH),
            self._done(split),
        )
        return Group(bar, f"{self._speed(users, split, total)}   {self._shares(split)}")

    def _line(self, stage: str, users: int, split: LiveSplit, total: StatsEntry) -> str:
        return (
            f"{self._scenario.name} {stage}: {self._done(split)}, {self._speed(users, split, total)}; "
            f"{self._shares(split)}"
        )

    def _speed(self, users: int, split: LiveSplit, total: StatsEntry) -> str:
        rate = split.requests / max(1e-9, time.monotonic() - self._started_at)
        p50, p99 = (total.get_response_time_percentile(quantile) or 0 for quantile in (0.5, 0.99))
        return f"{rate:,.0f}/s, {users:,} users, p50 {p50:,.0f} ms, p99 {p99:,.0f} ms"

    def _shares(self, split: LiveSplit) -> str:
        return ", ".join(f"{tag} {100 * split.answered[tag] / max(1, split.requests):.1f} %" for tag in self._weights)
