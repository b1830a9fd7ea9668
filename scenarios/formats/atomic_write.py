"""Files that are complete or absent: written under another name, and renamed when they are complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenarios.spec.errors import UsageError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """The path to write to for a file at `path`. Raises `UsageError` when that fails, and leaves nothing behind."""
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        yield draft
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def write(path: Path, text: str) -> None:
    """Write a text. Raises `UsageError` when that fails."""
    with atomic(path) as draft:
        draft.write_text(text, encoding="utf-8")
