"""Measures what a request costs each client, side by side on the local stack."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

from scenarios.cli.console import Console
from scenarios.cli.signals import child
from scenarios.formats.columns import header
from scenarios.formats.report_directory import ReportDirectory
from scenarios.formats.rows import BENCH, Balanced, BenchRow, balanced_of
from scenarios.run.analysis_process import analysed
from scenarios.run.bench_clients import SCENARIO, BenchClient, Job, bench_clients, percentile
from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import Scenario
from scenarios.stacks.local.stack import LocalStack
from scenarios.stacks.stack import PROJECT

FEW = 200  # requests, which show what starting a client costs
POLLED_EVERY_S = 0.05
ENDED_WITHIN_S = 900.0  # a million requests of the slowest client take less
RESULT = "medians.csv"


def bench(stack: LocalStack, reports: Path, requests: int, connections: int, rounds: int) -> int:
    """Measure every client, write `bench.csv`, and run its analysis. Returns the exit code.

    Raises `UsageError` when clients cannot be measured on this machine.
    """
    if sys.platform != "linux":
        raise UsageError("only Linux says how much memory a process had at most")
    stack.require_open_files(connections)
    with stack.locked(), stack.up():
        directory = ReportDirectory.new(reports, "bench").path
        with (directory / BENCH).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header(BenchRow))
            for row in bench_rows(stack, requests, connections, rounds):
                writer.writerow(row)
                file.flush()
    return analysed("analysis.tools.bench", str(directory), result=directory / RESULT)


def bench_rows(stack: LocalStack, requests: int, connections: int, rounds: int) -> Iterator[BenchRow]:
    """A row per client and round. Clients take turns, so that a change of the machine's speed meets all of them."""
    console, clients = Console(stderr=True), list(bench_clients(Scenario.load(SCENARIO).target))
    for number in range(1, rounds + 1):
        for client in clients:
            with console.working(f"round {number} of {rounds}: {client.name}"):
                yield _bench_row(client, stack, requests, connections, number)


def _bench_row(client: BenchClient, stack: LocalStack, requests: int, connections: int, number: int) -> BenchRow:
    small_cpu_s, _, _, small = _run(client, stack, _whole_turns(FEW, connections), connections)
    cpu_s, memory_bytes, (p50, p99), balanced = _run(client, stack, _whole_turns(requests, connections), connections)
    ends = [row.ended_s for row in balanced]
    times = [1e3 * row.duration_s for row in balanced]
    return BenchRow(
        client.name, number, len(balanced), cpu_s, len(small), small_cpu_s, max(ends) - min(ends),
        p50, p99, percentile(times, 0.5), percentile(times, 0.99), memory_bytes,
    )  # fmt: skip


def _whole_turns(requests: int, connections: int) -> int:
    """The requests, rounded up to the same number on every connection; hey would leave out the rest."""
    return connections * ceil(requests / connections)


def _run(
    client: BenchClient, stack: LocalStack, requests: int, connections: int
) -> tuple[float, int, tuple[float, float], list[Balanced]]:
    """Run a client once: CPU in seconds, peak memory in bytes, the client's percentiles in ms, the balancer's rows."""
    with TemporaryDirectory() as name:
        directory = Path(name)
        target = Scenario.load(SCENARIO).target.at(stack.target)
        body = directory / "body"
        body.write_bytes(target.content)
        job = Job(target, requests, connections, body, directory)
        start = stack.access_log_bytes()
        code, cpu_s, memory_bytes, printed = _watched(client.command(job), directory / "output")
        balanced = [balanced_of(row) for row in csv.reader(b"".join(stack.access_log(start)).decode().splitlines())]
        good = sum(row.status in target.expected_statuses for row in balanced)
        expected = requests if client.counts else max(1, len(balanced) - connections)  # wrk hangs up at the end
        if code or good < expected or (client.counts and len(balanced) != requests):
            raise UsageError(f"{client.name}: {good:,} of {requests:,} answered, exit code {code}: {printed[-500:]}")
        return cpu_s, memory_bytes, client.percentiles(job, printed), balanced


def _watched(command: list[str], output: Path) -> tuple[int, float, int, str]:
    """Run a command to its end: exit code, CPU in seconds, peak memory in bytes, and its output.

    Raises `UsageError` when it does not end in time.
    """

    def start() -> subprocess.Popen[bytes]:
        with output.open("wb") as file:
            return subprocess.Popen(
                command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )

    memory_bytes, deadline = 0, time.monotonic() + ENDED_WITHIN_S
    with child(start, subprocess.Popen.kill) as process:
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if time.monotonic() > deadline:
                raise UsageError(f"{command[0]}: did not come to an end within {ENDED_WITHIN_S:g} s")
            memory_bytes = max(memory_bytes, _peak_memory_bytes(process.pid))
            time.sleep(POLLED_EVERY_S)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime, memory_bytes, output.read_text(errors="replace")


def _peak_memory_bytes(process: int) -> int:
    """The kernel's count. Unlike `ru_maxrss` it leaves out the memory of the process before it ran this command."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
