"""Runs for pictures: a usual one, and every odd one that still deserves a picture."""

from dataclasses import replace

from analysis.measures.resources import MIB
from scenarios.formats.columns import Column
from scenarios.formats.rows import GeneratorSample, Resource
from scenarios.spec.fault import Fault
from scenarios.spec.fault_kind import FaultKind
from scenarios.spec.round_robin.cycle import cycle
from scenarios.spec.scenario import Scenario
from scenarios.spec.stage import Stage
from tests.builders.broken_run import broken_run, strike
from tests.builders.evidence import STANDING, frame, logged, pulse, response, three_ledgers
from tests.builders.evidence import stack as stack_record
from tests.unit.test_resources import sample

START_US = 1_000_000_000
THREE = {"back-01": 1, "back-02": 2, "back-03": 3}
DOZEN = {f"back-{number:02}": 1 + number % 3 for number in range(1, 13)}
LONG = {
    "_a-name-of-sixty-letters-that-goes-on-and-on-until-it-ends-01": 1,
    "<script>alert('a name, with commas')</script>": 2,
    "costs $5 or $6_{x}^2, and \\frac{1}{2} more": 3,
}
CLAIM = "It holds, however it is measured, and to say so takes more than one line, because there is much to say."
STAGES = ("calm", "surge", "recovery")
LONG_STAGES = tuple(f"a-stage-whose-name-has-as-many-letters-as{number}"[:39] + str(number) for number in range(5))


def never(_):
    return False


def always(_):
    return True


def run(weights, *, stages=STAGES, requests=600, length_s=6.0, latency_us=3000, fails=never):
    """A run that splits exactly, its requests one after the other and its stages equally long."""
    picked = [list(weights)[place] for place in cycle(list(weights.values()))]
    rows = [
        requested(
            number, picked[number % len(picked)], stage_at(stages, number / requests), fails=fails(number)
        )._replace(
            sent_us=START_US + round(1e6 * length_s * number / requests),
            latency_us=latency_us + 17 * (number * 7919 % 1000),
        )
        for number in range(requests)
    ]
    log = [
        row._replace(upstream_response_s=f"{latency_us / 4e6:.3f}")
        for row in logged([row for row in rows if row.host_tag], duration_s=latency_us / 2e6)
    ]
    made = three_ledgers(rows, weights, requests=max(1, requests), log=log, standing=stack_record(STANDING, STANDING))
    return replace(
        made,
        manifest=made.manifest.model_copy(update={"scenario": scenario(stages, max(1, requests))}),
        generator=frame(samples(stages, length_s), GeneratorSample),
        resources=frame(resources([*weights, "nginx"], length_s), Resource),
    )


def stage_at(stages, share):
    return stages[min(len(stages) - 1, int(len(stages) * share))]


def requested(number, tag, stage, *, fails):
    answer = {"status": 0, "error": "AnswerFault: reset"} if fails else {"tag": tag}
    return response(number, stage=stage, **answer)


def samples(stages, length_s):
    return [
        pulse(
            START_US + round(1e6 * length_s * step / 120),
            process="id",
            stage=stage_at(stages, step / 121),
            users=10,
            connections=10,
            in_flight=step % 5,
            cpu_us=20_000 * step,
            lag_us=100 * (step % 9),
        )
        for step in range(121)
    ]


TURNED_AWAY = {Column.STATUS: 502, Column.HOST_TAG: "", Column.ERROR: "Unwanted: status 502 instead of 201"}
NOBODY_ASKED = {
    Column.STATUS: 502,
    Column.UPSTREAM_ADDRESSES: "models",
    Column.UPSTREAM_STATUSES: "502",
    Column.UPSTREAM_CONNECT_S: "-",
    Column.UPSTREAM_RESPONSE_S: "0.000",
    Column.HOST_TAG: "-",
}


def scenario(stages, requests):
    stages = [Stage(name=name, users=10, spawn_rate=1.0) for name in stages]
    return Scenario.model_construct(name="made", title="Made", claim=CLAIM, requests=requests, stages=tuple(stages))


def resources(services, length_s):
    seconds = [-1 + (length_s + 2) * step / 30 for step in range(31)]
    return [
        sample(second, service=service, container=f"{service}-1", memory_limit_bytes=(128 + 64 * number) * MIB)
        for number, service in enumerate(services)
        for second in seconds
    ]


def faults_injected(applied_faults, **changes):
    """The broken run as it is seen when these faults were asked for and brought about."""
    made = broken_run(applied_faults=applied_faults, **changes)
    faults = [
        Fault.model_construct(
            kind=FaultKind.of(each.kind), backend=each.backend or None, stage=each.stage, after_s=1.0, cpus=None
        )
        for each in applied_faults
    ]
    asked = made.manifest.scenario.model_copy(update={"faults": tuple(faults)})
    return replace(made, manifest=made.manifest.model_copy(update={"scenario": asked}))


def in_blackout(until_s):
    """Every backend is killed after six seconds, and well after 16.5; all are turned away until then, or longer."""
    kills = [strike(number, "kill", 6.0, 6.005, "failing", tag) for number, tag in enumerate("abc", 1)]
    starts = [strike(number, "start", 16.0, 16.5, "returning", tag) for number, tag in enumerate("abc", 4)]
    made = faults_injected([*kills, *starts], lost=(), back_s=0.0, probed_every_s=99.0)
    rows, log = made.responses.astype("object"), made.balancer.astype("object")
    for each, second, columns in (
        (rows, rows[Column.SENT_US] / 1e6, TURNED_AWAY),
        (log, log[Column.ENDED_S], NOBODY_ASKED),
    ):
        each.loc[second.between(1006.015, 1000.005 + until_s), list(columns)] = list(columns.values())
    return replace(made, responses=like(rows, made.responses), balancer=like(log, made.balancer))


def like(rows, typed):
    """These rows with the types of the others; what is a category there has categories of its own."""
    kinds = {name: "category" if kind == "category" else kind for name, kind in typed.dtypes.items()}
    return rows.astype(kinds)


def reloads(count):
    return [strike(n, "reload-nginx", 6 + n / 2, 6.1 + n / 2, "failing", "") for n in range(1, count + 1)]


def every_kind():
    return [
        strike(number, kind, 2 * number, 2 * number + 0.1, "failing", "" if kind.is_of_balancer else "bca"[number % 3])
        for number, kind in enumerate(FaultKind, 1)
    ]


WITH_FAULTS = {
    "with faults": broken_run,
    "with a fault that lasts": lambda: faults_injected([strike(1, "kill", 6, 6, "failing")], back_s=99.0),
    "with many reloads": lambda: faults_injected(reloads(10), lost=(), back_s=0.0, probed_every_s=99.0),
    "with everybody killed": lambda: faults_injected(
        [strike(number, "kill", 6, 6, "failing", tag) for number, tag in enumerate("abc", 1)], lost=(6.0, 6.01, 6.02)
    ),
    "with all kinds of faults": lambda: faults_injected(every_kind(), lost=(2.0, 6.0, 7.0)),
}
RUNS = WITH_FAULTS | {
    "usual": lambda: run(THREE),
    "dozen": lambda: run(DOZEN, requests=2400),
    "two": lambda: run({"a": 1, "b": 1}, stages=("steady",)),
    "long names": lambda: run(LONG, stages=LONG_STAGES),
    "unprintable name": lambda: run({"a\nb\tc\x07": 1, "模型": 2}),
    "empty": lambda: run(THREE, requests=0),
    "single": lambda: run(THREE, requests=1, stages=("steady",)),
    "all failed": lambda: run(THREE, fails=always),
    "some failed": lambda: run(THREE, fails=lambda number: number % 50 == 0),
    "an hour": lambda: run(THREE, requests=7200, length_s=3600.0),
    "fast": lambda: run(THREE, latency_us=30),
    "plain Locust": lambda: replace(run(THREE), stack=None, resources=frame([], Resource)),
}
