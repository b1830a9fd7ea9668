"""The ledgers that have a row per request, small enough in memory for ten million of them.

A text in them is one of few, and so a category; a request id is its number; columns that nobody asks for stay away.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from analysis.frames import KINDS, read_table
from analysis.request_ids import RequestIds
from scenarios.ledgers import Balanced, Response

Request = Response | Balanced

FEW = pa.dictionary(pa.int32(), pa.string())
ID = {Response: "request_id", Balanced: "balanced_request_id"}
UNUSED = {  # in the balancer's log for whoever reads the file
    "connection",
    "connection_requests",
    "request_method",
    "uri",
    "request_completion",
    "body_bytes_sent",
    "upstream_connect_time",
    "upstream_header_time",
    "upstream_bytes_received",
}


def read_requests(path: Path, row: type[Request], ids: RequestIds) -> pd.DataFrame:
    """A ledger. Raises `UsageError` when it is not one, or damaged."""
    return _compact(read_table(path, row, _kinds(row)), row, ids)


def of_rows(rows: Iterable[Request], row: type[Request], ids: RequestIds) -> pd.DataFrame:
    """The same frame, of rows that are in memory."""
    kinds, columns = _kinds(row), zip(*rows, strict=True)
    values = dict(zip(row._fields, columns, strict=False))
    return _compact(pa.table({name: pa.array(values.get(name, ()), kind) for name, kind in kinds.items()}), row, ids)


def counted(texts: pd.Series) -> pd.Series:
    """How often each text comes, of those that come."""
    counts = texts.value_counts()
    return counts[counts > 0].rename(index=str)


def _kinds(row: type[Request]) -> dict[str, pa.DataType]:
    kinds = {name: FEW if kind is str else KINDS[kind] for name, kind in row.__annotations__.items()}
    return {name: kind for name, kind in kinds.items() if name not in UNUSED} | {ID[row]: pa.string()}


def _compact(table: pa.Table, row: type[Request], ids: RequestIds) -> pd.DataFrame:
    numbers = ids.numbers(table[ID[row]])
    few = [field.name for field in table.schema if field.type == FEW]
    frame: pd.DataFrame = (
        table.drop_columns([ID[row]]).unify_dictionaries().to_pandas(split_blocks=True, self_destruct=True)
    )
    texts = {name: frame[name].cat.set_categories(frame[name].cat.categories.astype("str")) for name in few}
    return frame.assign(**texts, **{ID[row]: numbers})
