"""Texts that fit: measures their width, and shortens or wraps them."""

import textwrap
from functools import cache

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import TextToPath

from analysis.charts.drawing.style import TEXT

POINTS_PER_INCH = 72
SPARE = 1.04  # letters stand on whole pixels, which makes some texts a little wider
ELLIPSIS = "…"


@cache
def width_of(text: str, points: float = TEXT, *, bold: bool = False) -> float:
    """The width in inches of one line of text."""
    width, _, _ = TextToPath().get_text_width_height_descent(text, _font(points, bold=bold), ismath=False)
    return SPARE * float(width) / POINTS_PER_INCH


def widest(texts: list[str], points: float = TEXT) -> float:
    """The width in inches of the widest of these lines; 0 of none."""
    return max((width_of(text, points) for text in texts), default=0.0)


@cache
def shortened(text: str, inches: float, points: float = TEXT) -> str:
    """The text if it fits, else its beginning and its end, because long names differ in either.

    A letter that cannot be printed, such as a line feed, becomes a question mark.
    """
    text = printable(text)
    kept = len(text)
    short = text
    while width_of(short, points) > inches and kept > 2:
        kept -= 1
        short = text[: kept - kept // 2] + ELLIPSIS + text[len(text) - kept // 2 :]
    return short


@cache
def wrapped(text: str, inches: float, points: float = TEXT, *, bold: bool = False) -> str:
    """The text in as many lines as it needs. A word that is wider than a line is divided."""
    paragraphs = [printable(line) for line in text.split("\n")]
    letters = max(1, *map(len, paragraphs))
    while True:
        lines = [line for part in paragraphs for line in textwrap.wrap(part, letters, break_on_hyphens=False) or [""]]
        if letters == 1 or max(width_of(line, points, bold=bold) for line in lines) <= inches:
            return "\n".join(lines)
        letters -= 1


def printable(text: str) -> str:
    """The text with a question mark for every letter that the font does not have."""
    font = get_font(findfont(_font(TEXT, bold=False)))
    return "".join(letter if letter.isprintable() and font.get_char_index(ord(letter)) else "?" for letter in text)


@cache
def _font(points: float, *, bold: bool) -> FontProperties:
    return FontProperties(size=points, weight="bold" if bold else "normal")
