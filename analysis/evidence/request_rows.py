"""Reads the ledgers with a row per request, compact enough for ten million rows in memory.

A text becomes a category, because it is one of few, and a request id becomes its number. Unused columns are not read.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.evidence.frames import KINDS, read_table
from analysis.evidence.request_ids import RequestIds
from scenarios.formats.columns import Column, header, types_of
from scenarios.formats.rows import Balanced, Response

Request = Response | Balanced

SMALL = {
    Column.LATENCY_US: pa.int32(),  # up to 35 minutes
    Column.CONNECT_US: pa.int32(),
    Column.LATE_US: pa.int32(),
    Column.STATUS: pa.int16(),
    Column.WORKER: pa.int32(),
}
FEW = pa.dictionary(pa.int32(), pa.string())
ID = Column.REQUEST_ID
UNUSED = {  # in the balancer's log for readers of the file
    Column.CONNECTION,
    Column.CONNECTION_REQUESTS,
    Column.METHOD,
    Column.PATH,
    Column.COMPLETION,
    Column.BODY_BYTES,
    Column.UPSTREAM_HEADER_S,
    Column.UPSTREAM_RECEIVED_BYTES,
}


def read_requests(path: Path, row: type[Request], ids: RequestIds) -> pd.DataFrame:
    """Read a ledger. Raises `UsageError` when it is not one, or damaged."""
    table = read_table(path, row, _kinds(row))
    numbers = ids.numbers(table[ID])
    table = table.drop_columns([ID])  # the largest column: free it before copying the others
    frame = _compact(table).assign(**{ID: numbers})
    del table
    pa.default_memory_pool().release_unused()  # some hundred megabytes of read buffers
    return frame


def of_rows(rows: Iterable[Request], row: type[Request], ids: RequestIds) -> pd.DataFrame:
    """The same frame, made of rows in memory."""
    kinds, values = _kinds(row), dict(zip(header(row), zip(*rows, strict=True), strict=False))
    texts = values.pop(ID, ())
    table = pa.table({name: pa.array(values.get(name, ()), kinds[name]) for name in kinds if name != ID})
    return _compact(table).assign(**{ID: ids.numbers(texts)})


def counted(texts: pd.Series) -> pd.Series:
    """How often each text occurs; only texts that occur."""
    counts = texts.value_counts()
    return counts[counts > 0].rename(index=str)


def largest(column: str) -> int:
    """The largest number that a column of whole numbers can hold."""
    return int(2 ** (SMALL.get(column, KINDS[int]).bit_width - 1) - 1)


def places(texts: pd.Series, names: Sequence[str]) -> np.ndarray:
    """The index of each text among the names; -1 for a text that is not among them."""
    of_category = pd.Index(names).get_indexer(texts.cat.categories).astype("int32")
    return np.append(of_category, [-1])[texts.cat.codes].astype("int32")


def _kinds(row: type[Request]) -> dict[str, pa.DataType]:
    kinds = {name: FEW if kind is str else KINDS[kind] for name, kind in types_of(row).items()}
    kinds |= {name: kind for name, kind in SMALL.items() if name in kinds} | {ID: pa.string()}
    return {name: kind for name, kind in kinds.items() if name not in UNUSED}


def _compact(table: pa.Table) -> pd.DataFrame:
    few = [field.name for field in table.schema if field.type == FEW]
    frame: pd.DataFrame = table.unify_dictionaries().to_pandas(split_blocks=True, self_destruct=True)
    return frame.assign(
        **{name: frame[name].cat.set_categories(frame[name].cat.categories.astype("str")) for name in few}
    )
