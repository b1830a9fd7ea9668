"""The directory in which a stack keeps what later commands need, and the lock beside it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenarios.spec.errors import UsageError
from scenarios.stacks.stack import PROJECT

STATE = PROJECT / ".stack"


def directory_of(stack: str, port_offset: int, state: Path = STATE) -> Path:
    """The directory of a stack at a port offset."""
    return state / (stack if port_offset == 0 else f"{stack}+{port_offset}")


@contextmanager
def locked(directory: Path, name: str) -> Iterator[int]:
    """Hold the lock of a stack's directory while the body runs. Raises `UsageError` when another process holds it.

    Yields the file descriptor of the lock: a process that inherits it holds the lock too.
    """
    path = directory.with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another command is using the {name} stack: wait for it to end") from None
        yield lock.fileno()
