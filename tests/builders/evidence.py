"""Evidence made to measure: a run as it would have been recorded."""

import csv
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.evidence.frames import dtypes_of, empty
from analysis.evidence.request_ids import RequestIds
from analysis.evidence.request_rows import of_rows
from scenarios.formats.columns import header
from scenarios.formats.report_directory import End, Host, Manifest
from scenarios.formats.rows import AFTER, BEFORE, AppliedFault, Balanced, GeneratorSample, Processed, Resource, Response
from scenarios.formats.stack_record import BalancerState, StackRecord
from scenarios.spec.claim import Claim
from scenarios.spec.scenario import Scenario
from scenarios.spec.target import Target

HOST = Host(system="test", cpus=2, memory_bytes=1, open_files_limit=1024)


def scenario(requests, *, users=1, error_rate=0.0, p99_ms=None, rendezvous=False):
    return Scenario.model_validate(
        {
            "name": "made",
            "title": "Made",
            "claim": "It holds.",
            "requests": requests,
            "target": Target().at("http://127.0.0.1:1"),
            "stages": [{"name": "steady", "users": users, "spawn_rate": 1.0, "rendezvous": rendezvous}],
            "expect": {"error_rate": error_rate, "p99_ms": p99_ms or {}},
        }
    )


def asked_at(scenario, url):
    """What differs in the manifest of a run of this scenario at another address, however odd."""
    target = scenario.target.model_copy(update={"url": url})
    return {"scenario": scenario.model_copy(update={"target": target})}


def manifest(scenario, weights, *, complete=True, cycles=1):
    return Manifest(
        scenario=scenario,
        scaled=False,
        claim=Claim(weights=weights, cycles=cycles, source="test"),
        stack="test",
        client="test",
        processes=1,
        git_commit=None,
        versions={},
        host=HOST,
        generator_started_at=datetime.now(UTC),
        started_at=datetime.now(UTC),
        end=End(at=datetime.now(UTC), complete=complete, reason="stopped" if not complete else "done", ledgers={}),
    )


def response(number, tag="", **columns):
    usual = {"latency_us": 1000, "connect_us": 0, "late_us": 0, "status": 201, "stage": "steady", "error": ""}
    made = usual | {"sent_us": 1_000_000_000 + number * 1000, "host_tag": tag, "request_id": f"id-{number}"} | columns
    return Response(**made)


def pulse(at_us=1_000_000_000, **columns):
    usual = {"process": "one", "stage": "steady", "users": 1, "connections": 1, "connects": 1}
    return GeneratorSample(at_us=at_us, **(dict.fromkeys(GeneratorSample._fields[5:], 0) | usual | columns))


def balanced(request_id, duration_s=0.001, tag="", **columns):
    usual = {name: kind() for name, kind in Balanced.__annotations__.items()} | {
        "ended_s": 1_000.0 + duration_s,
        "worker": 1,
        "status": 201,
        "upstream_addresses": f"{tag}:80",
        "upstream_statuses": "201",
        "upstream_response_s": f"{duration_s:.3f}",
        "host_tag": tag or "-",
    }
    return Balanced(**(usual | {"request_id": request_id, "duration_s": duration_s} | columns))


def logged(rows, **columns):
    """The balancer's row for each of these, at the time of the client's."""
    return [
        balanced(row.request_id, tag=row.host_tag, ended_s=(row.sent_us + row.latency_us) / 1e6, **columns)
        for row in rows
    ]


def counted(counts, **after):
    """What backends counted before and after a run in which they processed so many."""
    return [
        Processed(moment, tag, tag, 1, count if moment == AFTER else 0, 0)._replace(
            **(after.get(tag, {}) if moment == AFTER else {})
        )
        for moment in (BEFORE, AFTER)
        for tag, count in counts.items()
    ]


STANDING = BalancerState(workers=[1], configuration="same")


def stack(before=STANDING, after=STANDING):
    return StackRecord(name="test", enforces=False, services={}, versions={}, before=before, after=after)


def three_ledgers(rows, weights=None, *, log=None, counts=None, damaged=0, standing=None, **more):
    """A run whose ledgers agree, but for what is given. Its processes are those of the ids."""
    rows = list(rows)
    tags = dict(Counter(row.host_tag for row in rows if row.host_tag))
    made = evidence(
        rows,
        weights or tags,
        balancer=logged(rows) if log is None else log,
        samples=[pulse(process="id")],
        **more,
    )
    began = datetime.fromtimestamp(999, UTC)
    return replace(
        made,
        manifest=made.manifest.model_copy(update={"started_at": began}),
        damaged=damaged,
        processed=frame(counted(tags) if counts is None else counts, Processed),
        stack=standing or stack(),
    )


def responses(counts):
    """As many good responses of each backend as asked."""
    tags = [tag for tag, count in counts.items() for _ in range(count)]
    return [response(number, tag) for number, tag in enumerate(tags)]


def frame(rows, row):
    return pd.DataFrame(rows, columns=header(row)).astype(dtypes_of(row))


def evidence(rows, weights, *, requests=None, complete=True, cycles=1, samples=None, balancer=(), **of_scenario):
    asked = len(rows) if requests is None else requests
    peak = of_scenario.get("users", 1)
    ids = RequestIds()
    return Evidence(
        manifest=manifest(scenario(asked, **of_scenario), weights, complete=complete, cycles=cycles),
        missing=[],
        ids=ids,
        responses=of_rows(rows, Response, ids),
        generator=frame([pulse(users=peak)] if samples is None else samples, GeneratorSample),
        stack=None,
        resources=empty(Resource),
        balancer=of_rows(balancer, Balanced, ids),
        damaged=0,
        processed=empty(Processed),
        applied_faults=empty(AppliedFault),
    )


def write(directory, rows, weights, *, complete=True):
    """Such a run on disk, as plain Locust leaves it: the client's ledger and the generator's."""
    description = manifest(scenario(max(1, len(rows))), weights).model_copy(update={"end": None})
    directory.begin(description)
    for path, columns, lines in (
        (directory.responses_path, header(Response), rows),
        (directory.generator_path, header(GeneratorSample), [pulse()]),
    ):
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([columns, *lines])
    directory.end(description, complete=complete, reason="done")
