"""A report directory, read and checked: nothing is judged on damaged evidence."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from analysis.balancer_log import read_log
from analysis.frames import empty, read
from analysis.request_ids import RequestIds
from analysis.request_ledgers import of_rows, read_requests
from scenarios.errors import UsageError
from scenarios.ledgers import (
    BACKENDS,
    BALANCER,
    FAULTS,
    GENERATOR,
    RESOURCES,
    RESPONSES,
    Balanced,
    Processed,
    Pulse,
    Resource,
    Response,
    Strike,
)
from scenarios.report_directory import Ledger, Manifest, ReportDirectory
from scenarios.stack_record import STACK, StackRecord

WITNESSES = (STACK, RESOURCES, BALANCER, BACKENDS)  # kept where the runner had started Locust


@dataclass(frozen=True)
class Evidence:
    """What a run left: its manifest, a row per request (`Response`), and samples of the generator (`Pulse`).

    Where the runner had started Locust, also what the stack claims, the samples of its resources (`Resource`), the
    requests as the balancer logged them (`Balanced`), the number of damaged lines in that log, what the backends
    counted (`Processed`), and the faults that were brought about (`Strike`). A ledger that is `missing`, by name, has
    no rows. In `responses` and `balancer` a request id is a number, of which `ids` knows the text.
    """

    manifest: Manifest
    missing: list[str]
    ids: RequestIds
    responses: pd.DataFrame
    pulses: pd.DataFrame
    stack: StackRecord | None
    resources: pd.DataFrame
    balancer: pd.DataFrame
    damaged: int
    processed: pd.DataFrame
    strikes: pd.DataFrame

    @classmethod
    def read(cls, directory: Path) -> "Evidence":
        """Read a report directory. Raises `UsageError` when it is none, was cut off, or holds what was changed."""
        manifest = ReportDirectory(directory).manifest()
        if manifest.end is None:
            raise UsageError(f"{directory}: the run was cut off before its end mark was set: run it again")
        kept = dict.fromkeys((RESPONSES, GENERATOR, *manifest.end.ledgers))
        missing = [name for name in kept if not (directory / name).exists()]
        there = [name for name in kept if name not in missing]
        for name in there:
            _require_unchanged(directory / name, manifest.end.ledgers.get(name))
        witnesses = {*WITNESSES, *([FAULTS] if manifest.scenario.faults else [])}
        if (directory / STACK).exists() and not manifest.end.ledgers.keys() >= witnesses:
            raise UsageError(f"{directory}: the command that ran it was cut off before its evidence was: run it again")
        ids = RequestIds()
        none = partial(of_rows, [], ids=ids)
        responses = read_requests(directory / RESPONSES, Response, ids) if RESPONSES in there else none(Response)
        balancer, damaged = read_log(directory / BALANCER, ids) if BALANCER in there else (none(Balanced), 0)
        return cls(
            manifest=manifest,
            missing=missing,
            ids=ids,
            responses=responses,
            pulses=read(directory / GENERATOR, Pulse) if GENERATOR in there else empty(Pulse),
            stack=_stack(directory / STACK) if STACK in there else None,
            resources=read(directory / RESOURCES, Resource) if RESOURCES in there else empty(Resource),
            balancer=balancer,
            damaged=damaged,
            processed=read(directory / BACKENDS, Processed) if BACKENDS in there else empty(Processed),
            strikes=read(directory / FAULTS, Strike) if FAULTS in there else empty(Strike),
        )

    @property
    def stages(self) -> list[str]:
        """The stages of the scenario, in order."""
        return [stage.name for stage in self.manifest.scenario.stages]

    @property
    def backends(self) -> list[str]:
        """The backends of the claim in its order, then whoever else answered."""
        tags = self.responses["host_tag"]
        strangers = sorted(set(tags.unique()) - {"", *self.manifest.claim.weights})
        return [*self.manifest.claim.weights, *strangers]


def _require_unchanged(path: Path, ledger: Ledger | None) -> None:
    if ledger is None:
        raise UsageError(f"{path}: the manifest does not vouch for it: the evidence was changed")
    found = Ledger.of(path)
    if found != ledger:
        raise UsageError(
            f"{path}: is not what the run wrote ({found.bytes} bytes, then {ledger.bytes}): the evidence was changed"
        )


def _stack(path: Path) -> StackRecord:
    try:
        return StackRecord.model_validate_json(path.read_bytes())
    except ValueError as error:
        raise UsageError(f"{path}: is damaged: {error}") from error
