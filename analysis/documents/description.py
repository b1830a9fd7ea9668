"""The manifest of a run as text and tables."""

from collections.abc import Iterator
from datetime import datetime

import pandas as pd

from analysis.documents.sheet import Sheet, sheet
from scenarios.formats.columns import Column
from scenarios.formats.report_directory import End, Manifest

GIB = 1024**3


def facts(manifest: Manifest, end: End) -> Iterator[tuple[str, str]]:
    """The facts that a reader asks for first: name and value."""
    scenario = manifest.scenario
    yield "Scenario", scenario.name + (", scaled" if manifest.scaled else "")
    yield "Requests", f"{scenario.requests:,}"
    yield "Peak users", f"{scenario.peak_users:,}"
    yield "Allowed error rate", f"{100 * scenario.expect.error_rate:g} %"
    yield "Allowed loop lag of the generator", f"p99 {scenario.generator.loop_lag_p99_ms:,g} ms"
    yield "Started", moment(manifest.started_at)
    yield "Ended", f"{moment(end.at)}, {(end.at - manifest.started_at).total_seconds():,.1f} s later: {end.reason}"
    yield "Stack", manifest.stack
    yield "Target", f"{manifest.target.text} at {manifest.target.url}"
    yield "Claim read from", manifest.claim.source
    yield "Client", manifest.client
    yield "Generator processes", f"{manifest.processes}"
    yield "Commit", manifest.git_commit or "not known"
    yield "Machine", _machine(manifest)


def sheets(manifest: Manifest, end: End) -> Iterator[Sheet]:
    """The tables of the manifest: stages, weights, versions and files."""
    yield sheet("stages as run", "The stages that the scenario asked for.", _stages(manifest))
    yield sheet("weights", "The claimed weights.", _weights(manifest))
    yield sheet("versions", "The software of this run.", _pairs(manifest.versions, "software", "version"))
    yield sheet("files", "The evidence files, with their sizes and checksums at the end of the run.", _files(end))


def moment(at: datetime) -> str:
    """A time as text, to the second, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _machine(manifest: Manifest) -> str:
    host = manifest.host
    return (
        f"{host.system}, {host.cpus} CPUs, {host.memory_bytes / GIB:,.1f} GiB, "
        f"at most {host.open_files_limit:,} open files"
    )


def _stages(manifest: Manifest) -> pd.DataFrame:
    stages = pd.DataFrame([stage.model_dump() for stage in manifest.scenario.stages])
    stages["p99_ms allowed"] = stages["name"].map(manifest.scenario.expect.p99_ms)
    return stages.dropna(axis="columns", how="all")


def _weights(manifest: Manifest) -> pd.DataFrame:
    weights = _pairs(manifest.claim.weights, Column.HOST_TAG, Column.WEIGHT)
    return weights.assign(**{Column.SHARE: (weights[Column.WEIGHT] / weights[Column.WEIGHT].sum()).round(6)})


def _files(end: End) -> pd.DataFrame:
    rows = [(name, ledger.bytes, ledger.sha256) for name, ledger in end.ledgers.items()]
    return pd.DataFrame(rows, columns=["file", "bytes", "sha256"])


def _pairs(pairs: dict[str, str] | dict[str, int], *columns: str) -> pd.DataFrame:
    return pd.DataFrame(pairs.items(), columns=list(columns))
