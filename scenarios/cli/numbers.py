"""Numbers on a command line."""

import re
from collections.abc import Callable

from scenarios.spec.errors import UsageError


def whole_number(name: str, lowest: int, highest: int) -> Callable[[str], int]:
    """A reader of numbers with this name. It raises `UsageError` for a text that is none, or is out of bounds."""

    def number(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            raise UsageError(f"{name} is {text!r}, and should be a whole number from {lowest:,} to {highest:,}")
        return int(text)

    return number
