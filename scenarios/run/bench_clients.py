"""The clients that `make bench` compares: the command of each, and how to read its latencies."""

import csv
import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, nan
from pathlib import Path

from scenarios.formats.rows import RESPONSES, Response
from scenarios.spec.errors import UsageError
from scenarios.spec.target import Target

SCENARIO = "baseline"  # whose requests all of them send
KNOWN_TO_ALL = {("POST", True), ("GET", False)}  # methods, and whether there is a body
WRK_PER_SECOND = 5000  # about what the local stack answers on two cores
Percentiles = tuple[float, float]


@dataclass(frozen=True)
class Job:
    """What each client does: it sends the body so many times, over so many connections, and writes into `directory`."""

    target: Target
    requests: int
    connections: int
    body: Path
    directory: Path

    @property
    def url(self) -> str:
        """Where the requests go, path included."""
        return f"{self.target.url}{self.target.path}"

    @property
    def headers(self) -> list[str]:
        """The headers as options of a command: all of these clients know `-H`."""
        return [word for name, text in self.target.content_headers.items() for word in ("-H", f"{name}: {text}")]


@dataclass(frozen=True)
class BenchClient:
    """A client: its command, and its p50 and p99 in ms, read from its output or from the directory."""

    name: str
    command: Callable[[Job], list[str]]
    percentiles: Callable[[Job, str], Percentiles]
    counts: bool = True  # whether it can send a given number of requests; wrk only takes a time


def bench_clients(target: Target) -> Iterator[BenchClient]:
    """The user of this project, Locust's own, and those load generators that are installed here and know the method."""
    is_simple = (target.method, bool(target.body)) in KNOWN_TO_ALL
    yield BenchClient("this project", _ours, _from_ledger)
    yield BenchClient("FastHttpUser", lambda job: _stock("FastHttpStock", job), _from_locust)
    yield BenchClient("HttpUser", lambda job: _stock("HttpStock", job), _from_locust)
    for name, command, percentiles, can in (
        ("hey", _hey, _from_hey, True),
        ("h2load", _h2load, _from_h2load, is_simple),
        ("ab", _ab, _from_ab, is_simple),
    ):
        if can and shutil.which(name):
            yield BenchClient(name, command, percentiles)
    if shutil.which("wrk"):
        yield BenchClient("wrk", _wrk, _from_wrk, counts=False)


def percentile(values: list[float], quantile: float) -> float:
    """The value at the rank of a quantile; not a number where there are no values."""
    return sorted(values)[max(0, ceil(quantile * len(values)) - 1)] if values else nan


def _both(values: list[float]) -> Percentiles:
    return percentile(values, 0.5), percentile(values, 0.99)


def _locust(job: Job, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "locust", "--headless", "--only-summary", "--host", str(job.target.url), *arguments]


def _ours(job: Job) -> list[str]:
    load = ("--scale-requests", str(job.requests), "--scale-users", str(job.connections))
    return _locust(job, "-f", f"locustfiles/{SCENARIO}.py", *load, "--report-directory", str(job.directory))


def _from_ledger(job: Job, _: str) -> Percentiles:
    with (job.directory / RESPONSES).open(newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return _both([int(row[Response._fields.index("latency_us")]) / 1e3 for row in rows])


def _stock(user: str, job: Job) -> list[str]:
    load = ("--users", str(job.connections), "--spawn-rate", str(job.connections), "--requests", str(job.requests))
    return _locust(
        job, "-f", "locustfiles/bench/stock_clients.py", user, *load, "--json-file", str(job.directory / "locust")
    )


def _from_locust(job: Job, _: str) -> Percentiles:
    times: Counter[float] = Counter()
    for entry in json.loads((job.directory / "locust.json").read_text()):
        times.update({float(ms): count for ms, count in entry["response_times"].items()})
    return _both(list(times.elements()))


def _hey(job: Job) -> list[str]:
    load = ("-n", str(job.requests), "-c", str(job.connections))
    return ["hey", *load, "-m", job.target.method, *job.headers, "-D", str(job.body), job.url]


def _from_hey(_: Job, said: str) -> Percentiles:
    return 1e3 * _found(r"50% in ([0-9.]+) secs", said), 1e3 * _found(r"99% in ([0-9.]+) secs", said)


def _h2load(job: Job) -> list[str]:
    load = ("-n", str(job.requests), "-c", str(job.connections), "--log-file", str(job.directory / "h2load"))
    body = ["-d", str(job.body)] if job.target.body else []
    return ["h2load", "--h1", *load, *body, *job.headers, job.url]


def _from_h2load(job: Job, _: str) -> Percentiles:
    lines = (job.directory / "h2load").read_text().splitlines()
    return _both([int(line.split("\t")[2]) / 1e3 for line in lines])


def _ab(job: Job) -> list[str]:
    load = ("-n", str(job.requests), "-c", str(job.connections), "-k")
    body = ["-p", str(job.body)] if job.target.body else []
    headers = [  # ab sends a Content-Type of its own beside one that `-H` gives: that has an option of its own
        word
        for name, text in job.target.content_headers.items()
        for word in (("-T", text) if name.lower() == "content-type" else ("-H", f"{name}: {text}"))
    ]
    return ["ab", "-q", *load, *body, *headers, job.url]


def _from_ab(_: Job, said: str) -> Percentiles:
    return _found(r"\n +50% +([0-9]+)", said), _found(r"\n +99% +([0-9]+)", said)


def _wrk(job: Job) -> list[str]:
    script = job.directory / "request.lua"
    body = f"wrk.body = [==[{job.target.body}]==]\n" if job.target.body else ""
    script.write_text(f'wrk.method = "{job.target.method}"\n{body}', encoding="utf-8")
    load = ("-t", "1", "-c", str(job.connections), "-d", f"{1 + round(job.requests / WRK_PER_SECOND)}s")
    return ["wrk", *load, *job.headers, "--latency", "-s", str(script), job.url]


def _from_wrk(_: Job, said: str) -> Percentiles:
    return _wrk_ms(r"\n +50% +([0-9.]+)(us|ms|s)", said), _wrk_ms(r"\n +99% +([0-9.]+)(us|ms|s)", said)


def _wrk_ms(pattern: str, said: str) -> float:
    match = re.search(pattern, said)
    return float(match[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[match[2]] if match else nan


def _found(pattern: str, said: str) -> float:
    match = re.search(pattern, said)
    if match is None:
        raise UsageError(f"a client says nothing of the form {pattern!r}: {said[-300:]!r}")
    return float(match[1])
