"""A report directory, read and checked: nothing is judged on damaged evidence."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from scenarios.errors import UsageError
from scenarios.ledgers import (
    BALANCER,
    GENERATOR,
    RESOURCES,
    RESPONSES,
    Balanced,
    Effort,
    Probed,
    Pulse,
    Resource,
    Response,
)
from scenarios.report_directory import Ledger, Manifest, ReportDirectory
from scenarios.stack_record import STACK, StackRecord

DTYPES = {int: "int64", float: "float64", str: "str"}

Row = Response | Pulse | Resource | Balanced | Effort | Probed


@dataclass(frozen=True)
class Evidence:
    """What a run left: its manifest, a row per request (`Response`), and samples of the generator (`Pulse`).

    Where the runner had started Locust, also what the stack claims, the samples of its resources (`Resource`), and the
    requests as the balancer logged them (`Balanced`).
    """

    manifest: Manifest
    responses: pd.DataFrame
    pulses: pd.DataFrame
    stack: StackRecord | None
    resources: pd.DataFrame
    balancer: pd.DataFrame

    @classmethod
    def read(cls, directory: Path) -> "Evidence":
        """Read a report directory. Raises `UsageError` saying which file is missing, cut off or changed."""
        manifest = ReportDirectory(directory).manifest()
        if manifest.end is None:
            raise UsageError(f"{directory}: the run was cut off before its end mark was set: run it again")
        for name in dict.fromkeys((RESPONSES, GENERATOR, *manifest.end.ledgers)):
            _require_unchanged(directory / name, manifest.end.ledgers.get(name))
        sampled = RESOURCES in manifest.end.ledgers
        if (directory / STACK).exists() and not sampled:
            raise UsageError(f"{directory}: the command that ran it was cut off before its samples were: run it again")
        return cls(
            manifest=manifest,
            responses=read_ledger(directory / RESPONSES, Response),
            pulses=read_ledger(directory / GENERATOR, Pulse),
            stack=_stack(directory / STACK) if sampled else None,
            resources=read_ledger(directory / RESOURCES, Resource) if sampled else empty(Resource),
            balancer=read_ledger(directory / BALANCER, Balanced)
            if BALANCER in manifest.end.ledgers
            else empty(Balanced),
        )

    @property
    def stages(self) -> list[str]:
        """The stages of the scenario, in order."""
        return [stage.name for stage in self.manifest.scenario.stages]

    @property
    def backends(self) -> list[str]:
        """The backends of the claim in its order, then whoever else answered."""
        tags = self.responses["host_tag"]
        strangers = sorted(set(tags[tags != ""].unique()) - self.manifest.claim.weights.keys())
        return [*self.manifest.claim.weights, *strangers]


def _require_unchanged(path: Path, ledger: Ledger | None) -> None:
    if ledger is None:
        raise UsageError(f"{path}: the manifest does not vouch for it: the evidence was changed")
    try:
        found = Ledger.of(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}: the report directory is incomplete") from error
    if found != ledger:
        raise UsageError(
            f"{path}: is not what the run wrote ({found.bytes} bytes, then {ledger.bytes}): the evidence was changed"
        )


def _stack(path: Path) -> StackRecord:
    try:
        return StackRecord.model_validate_json(path.read_bytes())
    except ValueError as error:
        raise UsageError(f"{path}: is damaged: {error}") from error


def dtypes_of(row: type[Row]) -> dict[str, str]:
    """The columns of a ledger, with pandas' name for what stands in them."""
    return {name: DTYPES[kind] for name, kind in row.__annotations__.items()}


def empty(row: type[Row]) -> pd.DataFrame:
    """A ledger without rows."""
    return pd.DataFrame(columns=list(row.__annotations__)).astype(dtypes_of(row))


def read_ledger(path: Path, row: type[Row]) -> pd.DataFrame:
    """The rows of a ledger. Raises `UsageError` when they are not what its columns promise."""
    dtypes = dtypes_of(row)
    try:
        frame = pd.read_csv(path, dtype=dtypes, keep_default_na=False, na_filter=False)
    except ValueError as error:
        raise UsageError(f"{path}: is damaged: {str(error).strip()}") from error
    if list(frame.columns) != list(dtypes):
        raise UsageError(f"{path}: has the columns {list(frame.columns)} instead of {list(dtypes)}")
    return frame
