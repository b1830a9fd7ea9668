"""The last lines of a log: for the one sentence that says why a process ended, and for `logs`."""

from pathlib import Path

LAST = 5
LOG_LINES = 20


def tail(log: Path, lines: int = LOG_LINES) -> list[str]:
    """The last lines of a log; none where there is no log."""
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:] if log.exists() else []


def log_tail(log: Path) -> str:
    """The last lines of a log, in one line."""
    return in_one_line(tail(log, LAST))


def in_one_line(lines: list[str]) -> str:
    """The last of these lines, in one line."""
    return " | ".join(line.strip() for line in lines[-LAST:] if line.strip()) or "it said nothing"
