"""Words that the titles of several pictures share."""

from collections.abc import Sequence
from fractions import Fraction

from analysis.charts.drawing.text import shortened

NAMED = 3  # a sentence holds no more names
NAME = 2.2  # inches of a title that a name may take
FRACTIONS = {
    Fraction(1): "whole",
    Fraction(1, 2): "half",
    Fraction(1, 3): "third",
    Fraction(2, 3): "two thirds",
    Fraction(1, 4): "quarter",
    Fraction(3, 4): "three quarters",
    Fraction(1, 5): "fifth",
    Fraction(1, 6): "sixth",
}


def part_of(weight: int, total: int) -> str:
    """A share as a word, as in "exactly its half", or else as a fraction."""
    fraction = Fraction(weight, total)
    return FRACTIONS.get(fraction, f"{fraction.numerator}/{fraction.denominator}")


def name_of(tag: object) -> str:
    """The name of a backend, a service or a stage, short enough for a title."""
    return shortened(str(tag), NAME)


def listed(tags: Sequence[str]) -> str:
    """Backends in a sentence: their names if they are few, else their number."""
    if len(tags) > NAMED:
        return f"{len(tags)} backends"
    *others, last = map(name_of, tags)
    return f"{', '.join(others)} and {last}" if others else last


def cannot_tell(doubt: str) -> str:
    """A title for a question that a run cannot answer; the first of several reasons is enough."""
    return f"Cannot tell: {doubt.partition(';')[0]}"


def duration(ms: float) -> str:
    """A time as text, in seconds from 10 s on and else in milliseconds."""
    if ms >= 10_000:
        return f"{ms / 1e3:,.1f} s"
    return f"{ms:,.0f} ms" if ms >= 100 else f"{ms:.1f} ms"
