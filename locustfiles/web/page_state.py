"""What the page shows of the latest run, as a document of plain values."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from locustfiles.attendant import Attendant
from locustfiles.leader import Leader
from locustfiles.run import Run
from locustfiles.split import Point, Split
from locustfiles.web.report_files import ReportFiles
from scenarios.definition import Scenario

VERDICT, PAGE = "verdict.json", "report.html"
DIGITS = 5
MOST_ROWS = 60  # of backends, strangers included
NOBODY_JUDGES = (
    "Nobody judges a run that was started like this: only the client's ledger is kept. `make web` does both."
)


class PageState:
    """Looks at the latest run, and at its verdict once there is one."""

    def __init__(
        self, leader: Leader, attendant: Attendant | None, files: ReportFiles, choices: Mapping[str, Scenario]
    ) -> None:
        self._leader = leader
        self._attendant = attendant
        self._files = files
        self._scenarios = {name: _in_short(scenario) for name, scenario in choices.items()}
        self._verdict: tuple[int, dict[str, Any]] | None = None  # of which run

    def document(self) -> dict[str, Any]:
        """Everything; `phase` is ready, running, judging or over."""
        about = {"attended": self._attendant is not None, "scenarios": self._scenarios}
        run = self._leader.latest
        if run is None:
            return about | {"phase": "ready", "words": []}
        self._files.add(self._leader.runs, run.directory)
        phase = self._phase(run)
        return about | {
            "phase": phase,
            "number": self._leader.runs,
            "run": _described(run),
            "parts": [part._asdict() for part in run.split.parts()[:MOST_ROWS]],
            "nobody": run.split.answered[""],
            "moments": _moments(run.split),
            "words": list(self._words(run)),
            "verdict": self._judged() if phase == "over" else None,
        }

    def _phase(self, run: Run) -> str:
        if not run.is_over:
            return "running"
        return "judging" if self._attendant is not None and self._attendant.is_judging else "over"

    def _words(self, run: Run) -> Iterator[str]:
        """What a person has to be told besides the numbers."""
        failed = run.split.failed.total()
        if failed:  # a number that changes all the time would be read aloud all the time
            number = f"{failed:,} requests" if run.is_over else "Requests"
            yield f"{number} failed, most of them for this reason: {run.split.commonest_error}."
        if run.is_over and run.split.rows < run.scenario.requests:
            yield f"The run did not come to its end: {run.reason}."
        if self._leader.complaint:
            yield self._leader.complaint
        if run.is_over and self._attendant is None:
            yield NOBODY_JUDGES
        if run.is_over and self._attendant is not None and self._attendant.fault:
            yield self._attendant.fault

    def _judged(self) -> dict[str, Any] | None:
        """The verdict of the latest run, read once; None when there is none."""
        number = self._leader.runs
        if self._verdict is None or self._verdict[0] != number:
            path = self._files.find(str(number), VERDICT)
            if path is None:
                return None
            verdict = json.loads(path.read_bytes())
            shown = {key: verdict[key] for key in ("outcome", "checks")}
            self._verdict = number, shown | {"page": PAGE, "pictures": self._files.pictures(number)}
        return self._verdict[1]


def _in_short(scenario: Scenario) -> str:
    return f"{scenario.requests:,} requests, {scenario.peak_users:,} users. {scenario.claim}"


def _described(run: Run) -> dict[str, Any]:
    rows, seconds = run.split.rows, run.seconds
    left = run.scenario.requests - rows
    return {
        "scenario": run.scenario.name,
        "claim": run.scenario.claim,
        "stage": run.stage,
        "users": run.users,
        "done": rows,
        "requests": run.scenario.requests,
        "seconds": round(seconds, 1),
        "seconds_left": round(left * seconds / rows, 1) if rows and not run.is_over else None,
        "reason": run.reason,
        "processes": run.processes,
    }


def _moments(split: Split) -> dict[str, Any]:
    """Share and deviation of every backend of the claim over time, column by column."""
    return {
        "at_s": [round(moment.at_s, 2) for moment in split.moments],
        "backends": {tag: {"claimed": split.expected(tag, 1)} | _course(split, tag) for tag in split.weights},
    }


def _course(split: Split, tag: str) -> dict[str, list[float | None]]:
    points = [split.point(tag, moment) for moment in split.moments]
    return {
        name: [None if (value := getattr(point, name)) is None else round(value, DIGITS) for point in points]
        for name in Point._fields
    }
