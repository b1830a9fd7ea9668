"""The balancer's log, read as it is: what is damaged in it is counted, and the rest is evidence."""

import csv
from pathlib import Path

import pandas as pd

from analysis.frames import empty, read
from scenarios.errors import UsageError
from scenarios.ledgers import Balanced, balanced_of


def read_log(path: Path) -> tuple[pd.DataFrame, int]:
    """The rows of `balancer.csv`, and how many lines of it are none. Raises `OSError` when it cannot be read."""
    try:
        return read(path, Balanced), 0
    except UsageError:
        return _line_by_line(path)


def _line_by_line(path: Path) -> tuple[pd.DataFrame, int]:
    rows, damaged = [], 0
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        next(file, None)  # the header, which is ours
        for line in file:
            try:
                (fields,) = csv.reader([line], strict=True)
                rows.append(balanced_of(fields))
            except (csv.Error, ValueError):
                damaged += 1
    frame = empty(Balanced)
    return (pd.DataFrame(rows, columns=list(Balanced._fields)).astype(frame.dtypes) if rows else frame), damaged
