"""What a process said last, for the one sentence that tells why it ended."""

from pathlib import Path

LINES = 5


def last_words(log: Path) -> str:
    """The last lines of a log, in one line."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return " | ".join(line.strip() for line in lines[-LINES:]) or "it said nothing"
