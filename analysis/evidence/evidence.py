"""Reads and checks a report directory, so that no check judges damaged evidence."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from analysis.evidence.balancer_log import read_log
from analysis.evidence.frames import empty, read
from analysis.evidence.request_ids import RequestIds
from analysis.evidence.request_rows import of_rows, read_requests
from scenarios.formats.columns import Column
from scenarios.formats.report_directory import Ledger, Manifest, ReportDirectory
from scenarios.formats.rows import (
    BACKENDS,
    BALANCER,
    FAULTS,
    GENERATOR,
    RESOURCES,
    RESPONSES,
    AppliedFault,
    Balanced,
    GeneratorSample,
    Processed,
    Resource,
    Response,
)
from scenarios.formats.stack_record import STACK, StackRecord
from scenarios.spec.balancer import Notation
from scenarios.spec.errors import UsageError
from scenarios.spec.nginx.balancer import NGINX

WITNESSES = (STACK, RESOURCES, BALANCER, BACKENDS)  # present when the runner started Locust


@dataclass(frozen=True)
class Evidence:
    """The record of a run: its manifest, a row per request (`Response`), samples of the generator (`GeneratorSample`).

    If the runner started Locust, it also holds the record of the stack, samples of its resources (`Resource`), the
    requests in the balancer's log (`Balanced`), the number of damaged lines in that log, the counters of the backends
    (`Processed`), and the injected faults (`AppliedFault`). `missing` names the ledgers that do not exist; they have no
    rows. In `responses` and `balancer` a request id is a number; `ids` knows its text.
    """

    manifest: Manifest
    missing: list[str]
    ids: RequestIds
    responses: pd.DataFrame
    generator: pd.DataFrame
    stack: StackRecord | None
    resources: pd.DataFrame
    balancer: pd.DataFrame
    damaged: int
    processed: pd.DataFrame
    applied_faults: pd.DataFrame

    @classmethod
    def read(cls, directory: Path) -> "Evidence":
        """Read a report directory. Raises `UsageError` when it is not one, cut off or changed."""
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
            raise UsageError(f"{directory}: its command was cut off before it had recorded all evidence: run it again")
        ids = RequestIds()
        none = partial(of_rows, [], ids=ids)
        responses = read_requests(directory / RESPONSES, Response, ids) if RESPONSES in there else none(Response)
        balancer, damaged = read_log(directory / BALANCER, ids) if BALANCER in there else (none(Balanced), 0)
        return cls(
            manifest=manifest,
            missing=missing,
            ids=ids,
            responses=responses,
            generator=read(directory / GENERATOR, GeneratorSample) if GENERATOR in there else empty(GeneratorSample),
            stack=_stack(directory / STACK) if STACK in there else None,
            resources=read(directory / RESOURCES, Resource) if RESOURCES in there else empty(Resource),
            balancer=balancer,
            damaged=damaged,
            processed=read(directory / BACKENDS, Processed) if BACKENDS in there else empty(Processed),
            applied_faults=read(directory / FAULTS, AppliedFault) if FAULTS in there else empty(AppliedFault),
        )

    @property
    def notation(self) -> Notation:
        """How the balancer of the run writes its log."""
        return NGINX.notation

    @property
    def stages(self) -> list[str]:
        """The stages of the scenario, in order."""
        return [stage.name for stage in self.manifest.scenario.stages]

    @property
    def backends(self) -> list[str]:
        """The backends of the claim in its order, then every other backend that answered."""
        tags = self.responses[Column.HOST_TAG]
        strangers = sorted(set(tags.unique()) - {"", *self.manifest.claim.weights})
        return [*self.manifest.claim.weights, *strangers]


def _require_unchanged(path: Path, ledger: Ledger | None) -> None:
    if ledger is None:
        raise UsageError(f"{path}: the manifest does not vouch for it: the evidence was changed")
    found = Ledger.of(path)
    if found != ledger:
        raise UsageError(
            f"{path}: is not what the run wrote ({ledger.bytes} bytes, now {found.bytes}): the evidence was changed"
        )


def _stack(path: Path) -> StackRecord:
    try:
        return StackRecord.model_validate_json(path.read_bytes())
    except ValueError as error:
        raise UsageError(f"{path}: is damaged: {error}") from error
