"""What a comparison leaves behind: `reports/comparisons/<UTC time>/`."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.charts.drawing.sheet import save
from analysis.charts.drawing.style import styled
from analysis.comparison.chart import comparison_figure
from analysis.comparison.claims import Claimed
from analysis.comparison.comparison import Comparison
from analysis.comparison.latency import MARGIN
from scenarios.formats.columns import Column

DECIMALS = 6
ROOM = "comparisons"


def write(comparison: Comparison, directory: Path) -> None:
    """Write tables, picture and the whole as JSON. Of runs that cannot be compared there is nothing to draw."""
    _csv(pd.DataFrame(comparison.conditions).set_index("what"), directory / "comparability.csv")
    if comparison.latency is not None and comparison.effort is not None:
        _csv(every_comparison(comparison, comparison.latency), directory / "comparison.csv")
        _csv(comparison.effort, directory / "effort.csv")
        with styled():
            save(comparison_figure(comparison.latency, MARGIN, comparison.sentence), directory / "comparison.png")
    text = json.dumps(document(comparison), indent=2, ensure_ascii=False)
    (directory / "comparison.json").write_text(text + "\n", encoding="utf-8")


def every_comparison(comparison: Comparison, latency: pd.DataFrame) -> pd.DataFrame:
    """The claims, then latency: a row per comparison. Of a claim, `a` and `b` are what was observed."""
    claimed = pd.DataFrame(map(_told, comparison.claims), columns=["what", "a", "b", "outcome"])
    measured = latency.reset_index().assign(what="latency")
    frame = pd.concat([claimed, measured])
    order = ["what", Column.HOST_TAG, Column.STAGE, "a", "b", *latency.columns.drop("outcome"), "outcome"]
    return frame[order].astype({"a_count": "Int64", "b_count": "Int64"}).set_index("what")


def document(comparison: Comparison) -> dict[str, Any]:
    """All of it, for a program."""
    return {
        "a": comparison.a,
        "b": comparison.b,
        "sentence": comparison.sentence,
        "exit_code": comparison.exit_code,
        "margin": MARGIN,
        "comparability": [condition._asdict() for condition in comparison.conditions],
        "claims": [_told(claim) for claim in comparison.claims],
        "latency": _records(comparison.latency),
        "effort": _records(comparison.effort),
    }


def _told(claim: Claimed) -> dict[str, str]:
    return {"what": claim.what, "a": claim.a, "b": claim.b, "outcome": claim.outcome}


def _records(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The rows; what is not a number is null."""
    if frame is None:
        return []
    return list(json.loads(frame.reset_index().to_json(orient="records", double_precision=DECIMALS)))


def _csv(frame: pd.DataFrame, path: Path) -> None:
    frame.round(DECIMALS).to_csv(path, lineterminator="\n")
