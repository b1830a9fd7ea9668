"""Whether latency changed by more than a run differs from itself, backend by backend and stage by stage.

Answers of one run are no independent draws: a queue that is long stays long for a while. So each run is cut into
batches in the order of sending, the i-th of A is set against the i-th of B, at the same amount of work, and only the
batches' medians count. Their differences are averaged without the fifth at either end, so that a moment in which the
machine was busy with something else does not decide (Tukey & McLaughlin 1963, Yuen 1974: trimmed mean, winsorized
variance, t). Neighbouring batches resemble each other, too, and by how much is not known. So the mean is given the
spread of a single batch, as far as these show it; what all batches of a run have in common they cannot show.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.comparison.change import Change
from analysis.evidence.evidence import Evidence
from analysis.measures.statistics import quantile
from scenarios.formats.columns import Column

BATCHES = 20
TRIMMED = 4  # at either end
KEPT = BATCHES - 2 * TRIMMED
AT_LEAST = 5  # good answers in a batch, for its median to mean anything
MARGIN = 0.05  # that is no change: runs of the same code differ by as much, see docs/comparison.md
LEVEL = 0.05  # of being wrong anywhere in one comparison
NONE = np.array([], dtype="int64")
UNKNOWN = dict.fromkeys((Column.RATIO, Column.LOWEST, Column.HIGHEST, "p"), math.nan)


def latency_changes(a: Evidence, b: Evidence) -> pd.DataFrame:
    """A row per backend and stage: good answers and percentiles in ms of A and B, the change, and its outcome.

    `ratio` is that of B's median to A's, in the trimmed geometric mean over the batches; `lowest` and `highest` are the
    ends of its interval; all of these are meant to hold together 95 times in 100. `p` is for no change at all,
    `corrected_p` the same after Holm, for the number of comparisons. Where answers were too few they are not numbers.
    """
    tags = list(dict.fromkeys([*a.backends, *b.backends]))
    stages = list(dict.fromkeys([*a.stages, *b.stages]))
    of_a, of_b = _good_answers(a), _good_answers(b)
    cells = [(tag, stage) for stage in stages for tag in tags]
    pairs = {cell: (of_a.get(cell, NONE), of_b.get(cell, NONE)) for cell in cells}
    judged = sum(_are_enough(*pair) for pair in pairs.values())
    rows = [_counted(*pair) | _difference(*pair, judged) for pair in pairs.values()]
    index = pd.MultiIndex.from_tuples(list(pairs), names=[Column.HOST_TAG, Column.STAGE])
    frame = pd.DataFrame(rows, index=index)
    return frame.assign(corrected_p=holm(frame["p"]), outcome=[_outcome(row) for row in rows])


def _good_answers(evidence: Evidence) -> dict[tuple[str, str], Any]:
    """How long they took, in µs, in the order in which they were asked for. A fast refusal is not fast."""
    rows = evidence.responses
    good = rows.loc[rows[Column.ERROR] == "", [Column.SENT_US, Column.HOST_TAG, Column.STAGE, Column.LATENCY_US]]
    good = good.sort_values(Column.SENT_US, kind="stable")
    cells = good.groupby([Column.HOST_TAG, Column.STAGE])[Column.LATENCY_US]
    return {(str(tag), str(stage)): np.maximum(1, of_cell.to_numpy()) for (tag, stage), of_cell in cells}


def _are_enough(a: Any, b: Any) -> bool:
    return min(len(a), len(b)) >= BATCHES * AT_LEAST


def _counted(a: Any, b: Any) -> dict[str, float]:
    return {
        "a_count": len(a),
        "b_count": len(b),
        **{
            f"{run}_{name}_ms": float(quantile(values, q)) / 1e3 if len(values) else math.nan
            for name, q in (("p50", 0.5), ("p99", 0.99))
            for run, values in (("a", a), ("b", b))
        },
    }


def _difference(a: Any, b: Any, judged: int) -> dict[str, float]:
    """How B differs from A, with an interval that is wide enough for so many to hold together."""
    if not _are_enough(a, b):
        return UNKNOWN
    mean, spread = _trimmed(np.sort(_medians(b) - _medians(a)))
    reach = float(stats.t.isf(LEVEL / 2 / judged, KEPT - 1)) * spread
    return {
        Column.RATIO: math.exp(mean),
        Column.LOWEST: math.exp(mean - reach),
        Column.HIGHEST: math.exp(mean + reach),
        "p": _p(mean, spread),
    }


def _medians(values: Any) -> Any:
    """The logarithm of each batch's median."""
    return np.log([quantile(batch, 0.5) for batch in np.array_split(values, BATCHES)])


def _trimmed(ordered: Any) -> tuple[float, float]:
    """The trimmed mean, and the spread of a single batch by the winsorized variance."""
    kept = ordered[TRIMMED:-TRIMMED]
    winsorized = np.clip(ordered, kept[0], kept[-1])
    return float(kept.mean()), float(winsorized.std(ddof=1)) * (BATCHES - 1) / (KEPT - 1)


def _p(mean: float, spread: float) -> float:
    if spread == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stats.t.sf(abs(mean) / spread, KEPT - 1))


def _outcome(row: dict[str, float]) -> Change:
    if row[Column.LOWEST] > 1 + MARGIN:
        return Change.WORSE
    if row[Column.HIGHEST] < 1 / (1 + MARGIN):
        return Change.BETTER
    if row[Column.LOWEST] >= 1 / (1 + MARGIN) and row[Column.HIGHEST] <= 1 + MARGIN:
        return Change.SAME
    return Change.UNKNOWN


def holm(p: pd.Series) -> pd.Series:
    """Corrected for their number after Holm (1979): the chance of one false alarm among all stays below the level."""
    known = p.dropna().sort_values()
    steps = known * np.arange(len(known), 0, -1)
    return steps.cummax().clip(upper=1.0).reindex(p.index)
