"""A table as a page shows it: text in cells, and no more rows than anybody reads."""

from dataclasses import dataclass

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

ROWS = 200  # the others are in the CSV file
SHORT = 25  # rows that fit on a page of paper
NARROW = 10  # columns that fit side by side
DECIMALS = 6  # the most that any table is rounded to
NOTHING = "\N{EN DASH}"


@dataclass(frozen=True)
class Sheet:
    """A table to look at. `numeric` says which columns hold numbers; `total` counts the rows before the cut."""

    name: str
    caption: str
    columns: list[str]
    numeric: list[bool]
    rows: list[tuple[str, ...]]
    total: int

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows than are shown."""
        return self.total > len(self.rows)

    @property
    def is_wide(self) -> bool:
        """Whether its headings have to be folded."""
        return len(self.columns) > NARROW

    @property
    def is_short(self) -> bool:
        """Whether it can be kept together on paper."""
        return len(self.rows) <= SHORT


def sheet(name: str, caption: str, table: pd.DataFrame) -> Sheet:
    """Lay out a table whose columns are all that it has; an index of meaning has to be a column before."""
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
    """Every value as text; numbers of a column with as many decimals as one of them needs, so that they line up."""
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
