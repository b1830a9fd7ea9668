"""A table as a page shows it: cells of text, and only the first rows."""

from dataclasses import dataclass

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

ROWS = 200  # the CSV file has all of them
SHORT = 25  # rows that fit on a page of paper
NARROW = 10  # columns that fit side by side
DECIMALS = 6  # the most decimals of any table
NOTHING = "\N{EN DASH}"


@dataclass(frozen=True)
class Sheet:
    """A table to show. `numeric` says which columns hold numbers; `total` counts the rows before the cut."""

    name: str
    caption: str
    columns: list[str]
    numeric: list[bool]
    rows: list[tuple[str, ...]]
    total: int

    @property
    def is_cut(self) -> bool:
        """Whether the table has more rows than it shows."""
        return self.total > len(self.rows)

    @property
    def is_wide(self) -> bool:
        """Whether its headings need line breaks."""
        return len(self.columns) > NARROW

    @property
    def is_short(self) -> bool:
        """Whether it fits on one page of paper."""
        return len(self.rows) <= SHORT


def sheet(name: str, caption: str, table: pd.DataFrame) -> Sheet:
    """Lay out the columns of a table. It ignores the index: turn a meaningful index into columns first."""
    shown = table.head(ROWS)
    columns = [shown[column] for column in shown]
    return Sheet(
        name=name,
        caption=caption,
        columns=[str(column) for column in shown],
        numeric=[_is_numeric(column) for column in columns],
        rows=list(zip(*map(_texts, columns), strict=True)),
        total=len(table),
    )


def _is_numeric(column: pd.Series) -> bool:
    return is_numeric_dtype(column) and not is_bool_dtype(column)


def _texts(column: pd.Series) -> list[str]:
    """Every value as text. All numbers of a column get as many decimals as one of them needs, so that they align."""
    if not _is_numeric(column):
        return [_word(value) for value in column]
    decimals = max((_decimals(value) for value in column.dropna()), default=0)
    return [NOTHING if pd.isna(value) else f"{value:,.{decimals}f}" for value in column]


def _decimals(value: float) -> int:
    return len(f"{value:.{DECIMALS}f}".rstrip("0").partition(".")[2])


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOTHING if value is None or value is pd.NA or value != value else str(value)  # noqa: PLR0124
