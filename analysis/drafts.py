"""Files that are there whole or not at all: written under a name that nobody reads until they are complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenarios.errors import UsageError


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Where to write what is to be at `path`. Raises `UsageError` when that fails; nothing is left behind then."""
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        yield draft
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def write(path: Path, text: str) -> None:
    """Write a text."""
    with drafted(path) as draft:
        draft.write_text(text, encoding="utf-8")
