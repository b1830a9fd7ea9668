"""Removes old reports: the newest of each scenario stay."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from scenarios.formats.report_directory import LATEST
from scenarios.spec.errors import UsageError

REPORT = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(-(\d+))?")  # as `ReportDirectory.new` names them
STILL_WRITTEN_S = 600.0
REMOVING = ".removing-"


class Removed(NamedTuple):
    """A report that was removed; or `fault` says why it is still there."""

    path: Path
    size_bytes: int
    fault: str = ""


def remove_old(reports: Path, keep: int) -> Iterator[Removed]:
    """Remove all but the newest `keep` reports of each scenario, and of each other command that makes reports.

    The target of `latest` stays, and so does a report that may still be written. Nothing else is touched that is not
    named like a report. Raises `UsageError` when there are no reports at all.
    """
    if not reports.is_dir():
        raise UsageError(f"{reports}: there are no reports")
    for kind in sorted(path for path in reports.iterdir() if path.is_dir() and not path.is_symlink()):
        for rest in kind.glob(f"{REMOVING}*"):  # of a removal that was interrupted
            shutil.rmtree(rest)
        latest = (kind / LATEST).resolve()
        for path in sorted(filter(_is_report, kind.iterdir()), key=_age, reverse=True)[keep:]:
            if path != latest and not _is_still_written(path):
                yield _removed(path)


def _removed(path: Path) -> Removed:
    """Remove a report. First it gets another name: one that is removed in part must not look like a report."""
    size_bytes = sum(file.size for file in _files(path))
    try:
        renamed = path.rename(path.with_name(REMOVING + path.name))
        shutil.rmtree(renamed)
    except OSError as error:
        return Removed(path, 0, error.strerror or str(error))
    return Removed(path, size_bytes)


class File(NamedTuple):
    """A file of a report."""

    size: int
    changed_s: float


def _files(path: Path) -> Iterator[File]:
    """The files of a report that exist at this moment."""
    for file in (path, *path.rglob("*")):
        with suppress(FileNotFoundError):
            status = file.lstat()
            yield File(status.st_size if file.is_file() else 0, status.st_mtime)


def _is_report(path: Path) -> bool:
    return bool(REPORT.fullmatch(path.name)) and path.is_dir() and not path.is_symlink()


def _age(path: Path) -> tuple[str, int]:
    """The second in which it was made, and its number among those of that second."""
    return path.name.partition("Z")[0], int(path.name.partition("Z-")[2] or 1)


def _is_still_written(path: Path) -> bool:
    return time.time() - max(file.changed_s for file in _files(path)) < STILL_WRITTEN_S
