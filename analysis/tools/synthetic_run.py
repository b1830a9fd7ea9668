"""A synthetic run of any size, to measure the speed and the memory of an analysis."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from analysis.evidence.frames import kinds_of
from scenarios.formats.columns import Column, header, types_of
from scenarios.formats.report_directory import Host, Manifest, ReportDirectory, versions
from scenarios.formats.rows import (
    AFTER,
    BEFORE,
    SAMPLE_EVERY_S,
    Balanced,
    GeneratorSample,
    Processed,
    Resource,
    Response,
)
from scenarios.formats.stack_record import BalancerState, Limits, StackRecord
from scenarios.spec.claim import Claim
from scenarios.spec.round_robin.cycle import cycle
from scenarios.spec.scenario import Scenario
from scenarios.spec.target import Target

WEIGHTS = {"back-01": 1, "back-02": 2, "back-03": 3}
BEGUN_US = 1_800_000_000_000_000  # since the Unix epoch
EVERY_US = 250  # four thousand requests a second
BATCH = 500_000
USERS = 1000
MEMORY_BYTES = 32 * 2**20
TARGET = Target().at("http://127.0.0.1:8080")
STATUS = TARGET.expected_statuses[0]
PROCESS = "0123456789ab"
WORKER = 7
MEDIAN_MS, SPREAD = 20.0, 0.5  # of a logarithmic normal distribution


def make_synthetic_run(path: Path, requests: int) -> None:
    """Write the report directory of a run: every request answered, at a steady rate, with an exact split."""
    path.mkdir(parents=True)
    directory = ReportDirectory(path)
    manifest = _manifest(requests)
    directory.begin(manifest)
    _write_requests(directory, requests)
    seconds = requests * EVERY_US / 1e6 + 1
    _write(directory.generator_path, GeneratorSample, _samples(seconds))
    _write(directory.resources_path, Resource, _resources(seconds))
    _write(directory.backends_path, Processed, _processed(requests))
    standing = BalancerState(workers=[WORKER], configuration="made")
    services = dict.fromkeys(WEIGHTS, Limits())
    stack = StackRecord(name="made", enforces=False, services=services, versions={}, before=standing, after=standing)
    directory.stack_path.write_text(stack.model_dump_json(), encoding="utf-8")
    directory.end(manifest, complete=True, reason="every request was answered")
    directory.add_to_end_mark(
        directory.resources_path, directory.stack_path, directory.balancer_path, directory.backends_path
    )


def _manifest(requests: int) -> Manifest:
    begun = datetime.fromtimestamp(BEGUN_US / 1e6 - 1, UTC)
    stages = [{"name": "steady", "users": min(USERS, requests), "spawn_rate": float(USERS)}]
    document = {"name": "made", "title": "Made", "claim": "It grows.", "requests": requests, "stages": stages}
    return Manifest(
        scenario=Scenario.model_validate(document | {"target": TARGET, "expect": {"error_rate": 0.0}}),
        scaled=False,
        claim=Claim(weights=WEIGHTS, cycles=1, source="made"),
        stack="made",
        client="made",
        processes=1,
        git_commit=None,
        versions=versions(),
        host=Host.here(),
        generator_started_at=begun,
        started_at=begun,
    )


def _write_requests(directory: ReportDirectory, requests: int) -> None:
    """Write both ledgers of requests, batch by batch; the balancer's in the order in which the requests ended."""
    random = np.random.default_rng(requests)
    turns = np.array(cycle(list(WEIGHTS.values())))
    waiting = pa.schema(kinds_of(Balanced)).empty_table()
    with (
        csv.CSVWriter(directory.responses_path, pa.schema(kinds_of(Response))) as client,
        csv.CSVWriter(directory.balancer_path, pa.schema(kinds_of(Balanced))) as balancer,
    ):
        for first in range(0, requests, BATCH):
            number = np.arange(first, min(requests, first + BATCH))
            tag = pa.DictionaryArray.from_arrays(turns[number % len(turns)], list(WEIGHTS)).dictionary_decode()
            latency_ms = MEDIAN_MS * random.lognormal(sigma=SPREAD, size=len(number))
            ids = pa.array([f"{PROCESS}-{each:08x}" for each in number])
            client.write_table(_client(number, latency_ms, tag, ids))
            waiting = pa.concat_tables([waiting, _balancer(number, latency_ms, tag, ids)]).sort_by(Column.ENDED_S)
            ended = np.searchsorted(waiting[Column.ENDED_S], (BEGUN_US + (first + BATCH) * EVERY_US) / 1e6)
            balancer.write_table(waiting.slice(0, ended))
            waiting = waiting.slice(ended)
        balancer.write_table(waiting)


def _client(number: np.ndarray, latency_ms: np.ndarray, tag: pa.Array, ids: pa.Array) -> pa.Table:
    made = {
        Column.SENT_US: BEGUN_US + number * EVERY_US,
        Column.LATENCY_US: (latency_ms * 1e3).astype("int64") + 1200,
        Column.HOST_TAG: tag,
        Column.STATUS: np.full(len(number), STATUS),
        Column.STAGE: _same("steady", number),
        Column.REQUEST_ID: ids,
    }
    return _table(Response, made, number)


def _balancer(number: np.ndarray, latency_ms: np.ndarray, tag: pa.Array, ids: pa.Array) -> pa.Table:
    begun_ms = (BEGUN_US + number * EVERY_US + 300) // 1000
    lasted_ms = latency_ms.astype("int64")
    lasted = np.char.mod("%.3f", lasted_ms / 1e3)
    made = {
        Column.ENDED_S: (begun_ms + lasted_ms) / 1e3,
        Column.WORKER: np.full(len(number), WORKER),
        Column.REQUEST_ID: ids,
        Column.METHOD: _same(TARGET.method, number),
        Column.PATH: _same(TARGET.path, number),
        Column.STATUS: np.full(len(number), STATUS),
        Column.COMPLETION: _same("OK", number),
        Column.DURATION_S: lasted_ms / 1e3,
        Column.UPSTREAM_ADDRESSES: pa.compute.replace_substring(tag, "back-", "127.0.0.1:80"),
        Column.UPSTREAM_STATUSES: _same(str(STATUS), number),
        Column.UPSTREAM_CONNECT_S: _same("0.000", number),
        Column.UPSTREAM_HEADER_S: lasted,
        Column.UPSTREAM_RESPONSE_S: lasted,
        Column.UPSTREAM_RECEIVED_BYTES: _same("342", number),
        Column.HOST_TAG: tag,
    }
    return _table(Balanced, made, number)


def _same(text: str, number: np.ndarray) -> pa.Array:
    return pa.repeat(text, len(number))


def _table(row: type[Response | Balanced], made: dict[str, object], number: np.ndarray) -> pa.Table:
    """A table with every column of the ledger: the made values, and zero or an empty text elsewhere."""
    usual = {kind: pa.repeat(kind(), len(number)) for kind in (int, float, str)}
    columns = [made.get(name, usual[kind]) for name, kind in types_of(row).items()]
    return pa.table(dict(zip(header(row), columns, strict=True))).cast(pa.schema(kinds_of(row)))


def _samples(seconds: float) -> Iterator[GeneratorSample]:
    for moment in range(int(seconds / SAMPLE_EVERY_S)):
        at_us = BEGUN_US + int(moment * SAMPLE_EVERY_S * 1e6)
        yield GeneratorSample(at_us, PROCESS, "steady", USERS, USERS, USERS, 0, USERS, 500, moment * 20_000, 10**8)


def _resources(seconds: float) -> Iterator[Resource]:
    idle = Resource(*(kind() for kind in Resource.__annotations__.values()))._replace(
        state="running", memory_bytes=MEMORY_BYTES
    )
    for second in range(-1, int(seconds) + 2):
        for service in WEIGHTS:
            at_us, cpu_us = BEGUN_US + second * 1_000_000, second * 300_000
            yield idle._replace(at_us=at_us, service=service, container=service, cpu_us=cpu_us)


def _processed(requests: int) -> Iterator[Processed]:
    turns = cycle(list(WEIGHTS.values()))
    whole, rest = divmod(requests, len(turns))
    for index, service in enumerate(WEIGHTS):
        count = whole * turns.count(index) + turns[:rest].count(index)
        yield Processed(BEFORE, service, service, 1, 0, 0)
        yield Processed(AFTER, service, service, 1, count, 0)


def _write(
    path: Path,
    row: type[GeneratorSample | Resource | Processed],
    rows: Iterator[GeneratorSample | Resource | Processed],
) -> None:
    lines = [",".join(header(row)), *(",".join(map(str, each)) for each in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
