"""Numbers on a command line."""

import re
from collections.abc import Callable

from scenarios.errors import UsageError


def whole_number(name: str, lowest: int, highest: int) -> Callable[[str], int]:
    """What reads a number of this name. It raises `UsageError` when that is none, or out of bounds."""

    def number(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            raise UsageError(f"{name} is {text!r}, and should be a whole number from {lowest:,} to {highest:,}")
        return int(text)

    return number
