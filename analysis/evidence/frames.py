"""Reads ledgers as frames, with the columns and types of their rows."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv

from scenarios.formats.columns import header, types_of
from scenarios.formats.rows import (
    AppliedFault,
    Balanced,
    BenchRow,
    GeneratorSample,
    Probed,
    Processed,
    Resource,
    Response,
)
from scenarios.spec.errors import UsageError

DTYPES = {int: "int64", float: "float64", str: "str"}
KINDS = {int: pa.int64(), float: pa.float64(), str: pa.string()}
BLOCK_BYTES = 1 << 24

Row = Response | GeneratorSample | Resource | Balanced | Processed | BenchRow | Probed | AppliedFault


def dtypes_of(row: type[Row]) -> dict[str, str]:
    """The columns of a ledger with their pandas types."""
    return {name: DTYPES[kind] for name, kind in types_of(row).items()}


def empty(row: type[Row]) -> pd.DataFrame:
    """A ledger without rows."""
    return pd.DataFrame(columns=list(header(row))).astype(dtypes_of(row))


def read(path: Path, row: type[Row]) -> pd.DataFrame:
    """Read a ledger. Raises `UsageError` when it is not one, or damaged."""
    frame: pd.DataFrame = read_table(path, row, kinds_of(row)).to_pandas()
    return frame.astype(dtypes_of(row))


def kinds_of(row: type[Row]) -> dict[str, pa.DataType]:
    """The columns of a ledger with their Arrow types."""
    return {name: KINDS[kind] for name, kind in types_of(row).items()}


def read_table(path: Path, row: type[Row], kinds: Mapping[str, pa.DataType]) -> pa.Table:
    """Read the columns of a ledger that have a kind. Raises `UsageError` when it is not one, or damaged."""
    _require_columns(path, row)
    try:
        return read_csv(
            path,
            ReadOptions(block_size=BLOCK_BYTES),
            ParseOptions(newlines_in_values=True),
            ConvertOptions(column_types=kinds, include_columns=list(kinds), null_values=[]),
        )
    except pa.ArrowInvalid as error:
        raise UsageError(f"{path}: is damaged: {str(error).splitlines()[0]}") from error


def _require_columns(path: Path, row: type[Row]) -> None:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        found: Sequence[str] = next(csv.reader(file), [])
    if tuple(found) != header(row):
        raise UsageError(f"{path}: has the columns {list(found)} instead of {list(header(row))}")
