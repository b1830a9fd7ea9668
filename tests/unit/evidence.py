"""Evidence made to measure: a run as it would have been recorded."""

from datetime import UTC, datetime

import pandas as pd

from analysis.evidence import Evidence, dtypes_of, empty
from scenarios.claim import Claim
from scenarios.definition import Scenario
from scenarios.ledgers import Balanced, Pulse, Resource, Response
from scenarios.report_directory import End, Host, Manifest

HOST = Host(system="test", cpus=2, memory_bytes=1, open_files_limit=1024)


def scenario(requests, *, users=1, error_rate=0.0, p99_ms=None, rendezvous=False):
    return Scenario.model_validate(
        {
            "name": "made",
            "title": "Made",
            "claim": "It holds.",
            "requests": requests,
            "stages": [{"name": "steady", "users": users, "spawn_rate": 1.0, "rendezvous": rendezvous}],
            "expect": {"error_rate": error_rate, "p99_ms": p99_ms or {}},
        }
    )


def manifest(scenario, weights, *, complete=True, cycles=1):
    return Manifest(
        scenario=scenario,
        scaled=False,
        claim=Claim(weights=weights, cycles=cycles, source="test"),
        stack="test",
        target="http://127.0.0.1:1",
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
    return Pulse(at_us=at_us, **(dict.fromkeys(Pulse._fields[5:], 0) | usual | columns))


def balanced(request_id, request_time):
    usual = {name: kind() for name, kind in Balanced.__annotations__.items()}
    return Balanced(**(usual | {"balanced_request_id": request_id, "request_time": request_time}))


def responses(counts):
    """As many good responses of each backend as asked."""
    tags = [tag for tag, count in counts.items() for _ in range(count)]
    return [response(number, tag) for number, tag in enumerate(tags)]


def frame(rows, row):
    return pd.DataFrame(rows, columns=row._fields).astype(dtypes_of(row))


def evidence(rows, weights, *, requests=None, complete=True, cycles=1, pulses=None, balancer=(), **of_scenario):
    asked = len(rows) if requests is None else requests
    peak = of_scenario.get("users", 1)
    return Evidence(
        manifest=manifest(scenario(asked, **of_scenario), weights, complete=complete, cycles=cycles),
        responses=frame(rows, Response),
        pulses=frame([pulse(users=peak)] if pulses is None else pulses, Pulse),
        stack=None,
        resources=empty(Resource),
        balancer=frame(balancer, Balanced),
    )
