"""The balancer's log, read as it is: what is damaged in it is counted, and the rest is evidence."""

import csv
from math import isfinite
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.request_ids import RequestIds
from analysis.request_ledgers import largest, of_rows, read_requests
from scenarios.errors import UsageError
from scenarios.ledgers import Balanced, balanced_of


def read_log(path: Path, ids: RequestIds) -> tuple[pd.DataFrame, int]:
    """The rows of `balancer.csv`, and how many lines of it are none. Raises `OSError` when it cannot be read."""
    try:
        frame = read_requests(path, Balanced, ids)
    except UsageError:
        return _line_by_line(path, ids)
    return (frame, 0) if _is_whole(frame) else _line_by_line(path, ids)


def upstream_s(log: pd.DataFrame) -> np.ndarray:
    """Seconds at all the backends that were tried, as `$upstream_response_time` lists them; a dash is none."""
    written = log["upstream_response_time"].cat
    tries = pd.Series(written.categories).str.replace(":", ",", regex=False).str.split(",").explode()
    seconds = pd.to_numeric(tries, errors="coerce").groupby(level=0).sum()
    return np.asarray(seconds, dtype="float64")[written.codes]


def _is_whole(frame: pd.DataFrame) -> bool:
    """Whether no row lacks its last columns, in which nginx writes a dash rather than nothing, and times are times."""
    return bool(
        (frame[Balanced._fields[-1]] != "").all() and np.isfinite(frame[["msec", "request_time"]]).all(axis=None)
    )


def _line_by_line(path: Path, ids: RequestIds) -> tuple[pd.DataFrame, int]:
    rows, damaged = [], 0
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        next(file, None)  # the header, which is ours
        for line in filter(str.strip, file):
            try:
                rows.append(_row(line))
            except (csv.Error, ValueError):
                damaged += 1
    return of_rows(rows, Balanced, ids), damaged


def _row(line: str) -> Balanced:
    """Raises `csv.Error` or `ValueError` when the line is none of nginx's."""
    (fields,) = csv.reader([line], strict=True)
    row = balanced_of(fields)
    for name, text, value in zip(Balanced._fields, fields, row, strict=True):
        if isinstance(value, int) and not (text.isascii() and text.isdecimal() and value <= largest(name)):
            raise ValueError(f"{text!r} is no whole number")
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(f"{text!r} is no time")
    return row
