"""Rows on their way to the master: column by column, numbers as bytes, a repeated text only once."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

Row = TypeVar("Row", bound=NamedTuple)

INTEGER = "q"  # 64 bits, signed
PLACE = "I"


class RowBuffer(Generic[Row]):
    """Rows of one kind that wait to be sent; `add` costs an append."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self.add = self._rows.append

    def pack(self) -> dict[str, Any]:
        """Take the rows out, by column, in a form that a message can carry."""
        packed = {}
        if self._rows:
            names = self._rows[0]._fields
            packed = {name: _packed(column) for name, column in zip(names, zip(*self._rows, strict=True), strict=True)}
        self._rows.clear()
        return packed


def unpacked(packed: dict[str, Any], kind: type[Row]) -> Iterator[Row]:
    """The rows that `RowBuffer.pack` packed."""
    if packed:
        columns = (_unpacked(packed[name]) for name in kind._fields)
        yield from map(kind._make, zip(*columns, strict=True))


def _packed(column: Sequence[Any]) -> Any:
    if isinstance(column[0], int):
        return array(INTEGER, column).tobytes()
    texts = {text: place for place, text in enumerate(dict.fromkeys(column))}
    if len(texts) == len(column):
        return list(column)
    return {"texts": list(texts), "places": array(PLACE, map(texts.__getitem__, column)).tobytes()}


def _unpacked(packed: Any) -> Iterable[Any]:
    if isinstance(packed, bytes):
        return array(INTEGER, packed)
    if isinstance(packed, dict):
        return map(packed["texts"].__getitem__, array(PLACE, packed["places"]))
    return packed  # type: ignore[no-any-return]
