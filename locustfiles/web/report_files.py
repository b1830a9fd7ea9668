"""The report files that the page may show: only those of runs that began here."""

from pathlib import Path

from scenarios.formats.report_directory import ReportDirectory

KINDS = {".html", ".png", ".csv", ".json", ".md", ".xml"}


class ReportFiles:
    """Finds the files of the runs of this Locust. It looks a name up, and never makes it into a path."""

    def __init__(self) -> None:
        self._directories: dict[str, Path] = {}

    def add(self, run: int, directory: ReportDirectory) -> None:
        """Add a run that began here."""
        self._directories[str(run)] = directory.path

    def find(self, run: str, name: str) -> Path | None:
        """The file of this run with this name, if the page may show it."""
        return self._all(run).get(name)

    def pictures(self, run: int) -> list[str]:
        """The names of its pictures."""
        return sorted(name for name, path in self._all(str(run)).items() if path.suffix == ".png")

    def _all(self, run: str) -> dict[str, Path]:
        directory = self._directories.get(run)
        if directory is None or not directory.is_dir():
            return {}
        return {path.name: path for path in directory.iterdir() if path.suffix in KINDS and path.is_file()}
