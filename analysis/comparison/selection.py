"""Which two runs are meant, when they are not both named."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from scenarios.formats.report_directory import LATEST, MANIFEST, ReportDirectory
from scenarios.spec.errors import UsageError


class Candidate(NamedTuple):
    """A complete run that could be meant. They sort by the time when they started."""

    started_at: datetime
    path: Path
    scenario: str

    @classmethod
    def of(cls, path: Path) -> "Candidate":
        """The run in a directory. Raises `UsageError` when that is no report directory."""
        manifest = ReportDirectory(path).manifest()
        return cls(manifest.started_at, path, manifest.scenario.name)


def chosen(reports: Path, before: Path | None, after: Path | None, scenario: str | None) -> tuple[Path, Path]:
    """A and B. Without B it is the newest complete run, without A the one of the same scenario before B.

    Raises `UsageError` when there are not two, or both are the same.
    """
    if before is None:
        last = _newest(reports, scenario) if after is None else Candidate.of(after)
        return _before(reports, last).path, last.path
    first = Candidate.of(before)
    last = _after(reports, first) if after is None else Candidate.of(after)
    if first.path.resolve() == last.path.resolve():
        raise UsageError(f"{before} and {after}: are the same run: name two")
    return first.path, last.path


def _newest(reports: Path, scenario: str | None) -> Candidate:
    found = [run for run in _complete(reports) if scenario in (None, run.scenario)]
    if not found:
        what = f"run of {scenario}" if scenario else "run"
        raise UsageError(f"{reports}: there is no complete {what}: two are compared, so run a scenario twice")
    return max(found)


def _before(reports: Path, last: Candidate) -> Candidate:
    found = [run for run in _complete(reports) if run.scenario == last.scenario and run.started_at < last.started_at]
    if not found:
        raise UsageError(f"{last.path}: there is no complete run of {last.scenario} before it: name one, A=…")
    return max(found)


def _after(reports: Path, first: Candidate) -> Candidate:
    found = [run for run in _complete(reports) if run.scenario == first.scenario and run.started_at > first.started_at]
    if not found:
        raise UsageError(f"{first.path}: there is no complete run of {first.scenario} after it: name one, B=…")
    return max(found)


def _complete(reports: Path) -> Iterator[Candidate]:
    """Every complete run under `reports`. One that was cut off, stopped or damaged is passed over."""
    for path in sorted(reports.glob(f"*/*/{MANIFEST}")):
        if path.parent.name == LATEST:
            continue
        try:
            manifest = ReportDirectory(path.parent).manifest()
        except UsageError:
            continue
        if manifest.end is not None and manifest.end.complete:
            yield Candidate(manifest.started_at, path.parent, manifest.scenario.name)
