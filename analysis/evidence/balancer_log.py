"""Reads the balancer's log. It counts damaged lines; the other lines are evidence."""

import csv
from math import isfinite
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.evidence.request_ids import RequestIds
from analysis.evidence.request_rows import largest, of_rows, read_requests
from scenarios.formats.columns import Column, header
from scenarios.formats.rows import Balanced, balanced_of
from scenarios.spec.balancer import Notation
from scenarios.spec.errors import UsageError


def read_log(path: Path, ids: RequestIds) -> tuple[pd.DataFrame, int]:
    """The rows of `balancer.csv`, and the number of its damaged lines. Raises `OSError` when it cannot be read."""
    try:
        frame = read_requests(path, Balanced, ids)
    except UsageError:
        return _line_by_line(path, ids)
    return (frame, 0) if _is_whole(frame) else _line_by_line(path, ids)


def upstream_s(log: pd.DataFrame, notation: Notation) -> np.ndarray:
    """By request, the seconds of all attempts at backends, from `upstream_response_s`; no number counts as none."""
    written = log[Column.UPSTREAM_RESPONSE_S].cat
    attempts = pd.Series(written.categories).str.split(notation.between, regex=True).explode()
    seconds = pd.to_numeric(attempts, errors="coerce").groupby(level=0).sum()
    return np.asarray(seconds, dtype="float64")[written.codes]


def took_several(addresses: pd.Series, notation: Notation) -> pd.Series:
    """Which requests took several attempts, by their `upstream_addresses`."""
    return addresses.str.contains(notation.between, regex=True)


def took_one(addresses: pd.Series, notation: Notation) -> pd.Series:
    """Which requests took one attempt at a backend."""
    return addresses.str.contains(notation.asked, regex=True) & ~took_several(addresses, notation)


def by_attempt(log: pd.DataFrame, lists: list[str], notation: Notation) -> pd.DataFrame:
    """A row per attempt, and whether it was the request's `last`: columns that are `lists` have the attempt's value.

    A request whose lists are of different lengths has no row.
    """
    split = log.assign(**{name: log[name].astype("object").str.split(notation.between, regex=True) for name in lists})
    lengths = split[lists].map(len)
    rows = split[lengths.eq(lengths[lists[0]], axis=0).all(axis=1)].explode(lists)
    return rows.assign(**{Column.LAST: ~rows.index.duplicated(keep="last")})


def _is_whole(frame: pd.DataFrame) -> bool:
    """Whether every row has its last column, which the balancer never leaves empty, and finite times."""
    return bool(
        (frame[header(Balanced)[-1]] != "").all()
        and np.isfinite(frame[[Column.ENDED_S, Column.DURATION_S]]).all(axis=None)
    )


def _line_by_line(path: Path, ids: RequestIds) -> tuple[pd.DataFrame, int]:
    rows, damaged = [], 0
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        next(file, None)  # the header, which the project writes
        for line in filter(str.strip, file):
            try:
                rows.append(_row(line))
            except (csv.Error, ValueError):
                damaged += 1
    return of_rows(rows, Balanced, ids), damaged


def _row(line: str) -> Balanced:
    """Read a line. Raises `csv.Error` or `ValueError` when the balancer cannot have written it."""
    (fields,) = csv.reader([line], strict=True)
    row = balanced_of(fields)
    for name, text, value in zip(header(Balanced), fields, row, strict=True):
        if isinstance(value, int) and not (text.isascii() and text.isdecimal() and value <= largest(name)):
            raise ValueError(f"{text!r} is not a whole number")
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(f"{text!r} is not a time")
    return row
