"""What a process said last, for the one sentence that tells why it ended, and for `logs`."""

from pathlib import Path

LAST = 5
LOG_LINES = 20


def tail(log: Path, lines: int = LOG_LINES) -> list[str]:
    """The last lines of a log that may not be there."""
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:] if log.exists() else []


def last_words(log: Path) -> str:
    """The last lines of a log, in one line."""
    return in_one_line(tail(log, LAST))


def in_one_line(lines: list[str]) -> str:
    """Lines that were said last, in one line."""
    return " | ".join(line.strip() for line in lines[-LAST:] if line.strip()) or "it said nothing"
