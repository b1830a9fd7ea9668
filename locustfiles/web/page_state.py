"""The state of the latest run for the page, as a document of plain values."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from locustfiles.generator.master import Master
from locustfiles.generator.records.live_split import BackendMoment, LiveSplit
from locustfiles.generator.run import Run
from locustfiles.web.parent import ParentProcess
from locustfiles.web.report_files import ReportFiles
from scenarios.formats.report_directory import PAGE, VERDICT
from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import Scenario

DIGITS = 5
MOST_ROWS = 60  # of backends, unclaimed ones included
NOT_JUDGED = (
    "This run is not judged: Locust alone keeps the client's ledger only. `make web` keeps all ledgers and judges."
)


class PageState:
    """Describes the latest run, and its verdict once there is one."""

    def __init__(
        self, master: Master, parent: ParentProcess | None, files: ReportFiles, choices: Sequence[str]
    ) -> None:
        self._master = master
        self._parent = parent
        self._files = files
        self._scenarios = {name: _in_short(name) for name in choices}
        self._verdict: tuple[int, dict[str, Any]] | None = None  # of which run

    def document(self) -> dict[str, Any]:
        """The whole state; `phase` is ready, running, judging or over."""
        about = {"is_judged": self._parent is not None, "scenarios": self._scenarios}
        run = self._master.latest
        if run is None:
            return about | {"phase": "ready", "messages": []}
        self._files.add(self._master.runs, run.directory)
        phase = self._phase(run)
        return about | {
            "phase": phase,
            "number": self._master.runs,
            "run": _described(run),
            "table": [row._asdict() for row in run.split.table()[:MOST_ROWS]],
            "unnamed": run.split.answered[""],
            "moments": _moments(run.split),
            "messages": list(self._messages(run)),
            "verdict": self._judged() if phase == "over" else None,
        }

    def _phase(self, run: Run) -> str:
        if not run.is_over:
            return "running"
        return "judging" if self._parent is not None and self._parent.is_judging else "over"

    def _messages(self, run: Run) -> Iterator[str]:
        """Sentences for the reader, besides the numbers."""
        failed = run.split.failed.total()
        if failed:  # a screen reader would read each new number aloud
            number = f"{failed:,} requests" if run.is_over else "Requests"
            yield f"{number} failed, most of them for this reason: {run.split.commonest_error}."
        if run.is_over and run.split.requests < run.scenario.requests:
            yield f"The run ended early: {run.reason}."
        if self._master.error_text:
            yield self._master.error_text
        if run.is_over and self._parent is None:
            yield NOT_JUDGED
        if run.is_over and self._parent is not None and self._parent.fault:
            yield self._parent.fault

    def _judged(self) -> dict[str, Any] | None:
        """The verdict of the latest run, read once; None when there is none."""
        number = self._master.runs
        if self._verdict is None or self._verdict[0] != number:
            path = self._files.find(str(number), VERDICT)
            if path is None:
                return None
            verdict = json.loads(path.read_bytes())
            shown = {key: verdict[key] for key in ("outcome", "checks")}
            self._verdict = number, shown | {"page": PAGE, "pictures": self._files.pictures(number)}
        return self._verdict[1]


def _in_short(name: str) -> str:
    try:
        scenario = Scenario.load(name)
    except UsageError as error:
        return str(error)
    return f"{scenario.requests:,} requests, {scenario.peak_users:,} users. {scenario.claim}"


def _described(run: Run) -> dict[str, Any]:
    done, seconds = run.split.requests, run.seconds
    left = run.scenario.requests - done
    return {
        "scenario": run.scenario.name,
        "claim": run.scenario.claim,
        "stage": run.stage,
        "users": run.users,
        "done": done,
        "requests": run.scenario.requests,
        "seconds": round(seconds, 1),
        "seconds_left": round(left * seconds / done, 1) if done and not run.is_over else None,
        "reason": run.reason,
        "processes": run.processes,
    }


def _moments(split: LiveSplit) -> dict[str, Any]:
    """Share and deviation of every backend of the claim over time, column by column."""
    return {
        "at_s": [round(moment.at_s, 2) for moment in split.moments],
        "backends": {tag: {"claimed": split.expected(tag, 1)} | _course(split, tag) for tag in split.weights},
    }


def _course(split: LiveSplit, tag: str) -> dict[str, list[float | None]]:
    course = [split.backend_at(tag, moment) for moment in split.moments]
    return {
        name: [None if (value := getattr(moment, name)) is None else round(value, DIGITS) for moment in course]
        for name in BackendMoment._fields
    }
