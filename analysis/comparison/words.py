"""The answer, in one sentence."""

import math
from collections.abc import Iterator

import pandas as pd

from analysis.comparison.change import Change
from analysis.comparison.claims import Claimed
from analysis.comparison.comparability import Circumstance
from scenarios.formats.columns import Column

NAMED = 2  # changes; the others are counted
MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"


def answer(claims: list[Claimed], latency: pd.DataFrame) -> str:
    """What changed; or, where nothing did, how large a change could have been missed."""
    worse, better = (list(_changes(claims, latency, change)) for change in (Change.WORSE, Change.BETTER))
    if worse or better:
        return _list(worse or better)
    if any(claim.outcome is Change.UNKNOWN for claim in claims):
        unknown = [claim.what for claim in claims if claim.outcome is Change.UNKNOWN]
        return f"It cannot be told: {_list(unknown)} could not be shown in both runs"
    known = latency.dropna(subset=Column.RATIO)
    if known.empty:
        return "It cannot be told: there are too few answers"
    reach = max(known[Column.HIGHEST].max(), 1 / known[Column.LOWEST].min())
    silent = [f"{tag} in {stage}" for tag, stage in latency.index[latency[Column.RATIO].isna()]]
    but = f"; too few answers of {_list(silent)} to tell" if silent else ""
    if (known["outcome"] == Change.SAME).all():
        return f"Nothing changed by more than {_size(reach)}{but}"
    return f"No change was seen, and one of up to {_size(reach)} could have been missed{but}"


def refusal(forbidding: list[Circumstance]) -> str:
    """Why two runs are not compared."""
    return f"The runs cannot be compared: {_list([condition.what for condition in forbidding])}"


def percent(ratio: float) -> str:
    """A ratio as a change: a signed percentage, or how many times where percent say nothing any more."""
    if math.isnan(ratio):
        return ""
    if not 1 / 3 < ratio < 3:
        return f"{TIMES}{_times(ratio)}" if ratio >= 1 else f"÷{_times(1 / ratio)}"
    rounded = round(100 * (ratio - 1))
    return f"{rounded:+d} %".replace("-", MINUS) if rounded else "0 %"


def _changes(claims: list[Claimed], latency: pd.DataFrame, change: Change) -> Iterator[str]:
    again = "holds again" if change is Change.BETTER else "holds no longer"
    yield from (f"{claim.what} {again}" for claim in claims if claim.outcome is change)
    chosen = latency[latency["outcome"] == change]
    tags, stages = (chosen.index.get_level_values(level) for level in (Column.HOST_TAG, Column.STAGE))
    for tag, stage, ratio in zip(tags, stages, chosen[Column.RATIO], strict=True):
        yield f"{tag} got {_faster_or_slower(ratio)} in {stage}"


def _faster_or_slower(ratio: float) -> str:
    word = "slower" if ratio > 1 else "faster"
    larger = max(ratio, 1 / ratio)
    return f"{_times(larger)} times {word}" if larger >= 3 else f"{abs(100 * (ratio - 1)):.0f} % {word}"


def _size(reach: float) -> str:
    return f"{math.ceil(100 * (reach - 1) - 1e-9)} %" if reach < 3 else f"{_times(reach)} times"


def _times(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio < 100 else f"{ratio:,.0f}"


def _list(said: list[str]) -> str:
    more = len(said) - NAMED
    return ", ".join(said[:NAMED]) + (f", and {more} more" if more > 0 else "")
