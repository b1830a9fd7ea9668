"""Ledgers as frames: the columns that their rows have, with pandas' names for what stands in them."""

from pathlib import Path

import pandas as pd

from scenarios.errors import UsageError
from scenarios.ledgers import Balanced, Effort, Probed, Processed, Pulse, Resource, Response

DTYPES = {int: "int64", float: "float64", str: "str"}

Row = Response | Pulse | Resource | Balanced | Processed | Effort | Probed


def dtypes_of(row: type[Row]) -> dict[str, str]:
    """The columns of a ledger, with pandas' name for what stands in them."""
    return {name: DTYPES[kind] for name, kind in row.__annotations__.items()}


def empty(row: type[Row]) -> pd.DataFrame:
    """A ledger without rows."""
    return pd.DataFrame(columns=list(row.__annotations__)).astype(dtypes_of(row))


def read(path: Path, row: type[Row]) -> pd.DataFrame:
    """A ledger. Raises `UsageError` when it is not one, or damaged."""
    dtypes = dtypes_of(row)
    try:
        frame = pd.read_csv(path, dtype=dtypes, keep_default_na=False, na_filter=False)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{path}: is damaged: {str(error).strip()}") from error
    if list(frame.columns) != list(dtypes):
        raise UsageError(f"{path}: has the columns {list(frame.columns)} instead of {list(dtypes)}")
    return frame
