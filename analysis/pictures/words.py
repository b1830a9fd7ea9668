"""Words of titles that several pictures use."""

from collections.abc import Sequence
from fractions import Fraction

from analysis.pictures.text import shortened

NAMED = 3  # more names than that are no sentence any more
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
    """A share in a word, as in "exactly its half"."""
    fraction = Fraction(weight, total)
    return FRACTIONS.get(fraction, f"{fraction.numerator}/{fraction.denominator}")


def name_of(tag: object) -> str:
    """A backend, a service or a stage in a title: never the better part of it."""
    return shortened(str(tag), NAME)


def listed(tags: Sequence[str]) -> str:
    """Backends in a sentence: by name where they are few."""
    if len(tags) > NAMED:
        return f"{len(tags)} backends"
    *others, last = map(name_of, tags)
    return f"{', '.join(others)} and {last}" if others else last


def cannot_tell(doubt: str) -> str:
    """A title for what a run says nothing about; the first of several reasons is enough."""
    return f"Cannot tell: {doubt.partition(';')[0]}"


def duration(ms: float) -> str:
    """A time as one would say it."""
    if ms >= 10_000:
        return f"{ms / 1e3:,.1f} s"
    return f"{ms:,.0f} ms" if ms >= 100 else f"{ms:.1f} ms"
