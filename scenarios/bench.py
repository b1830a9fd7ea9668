"""`python -m scenarios.bench`: what a request costs each client, side by side on the local stack."""

import argparse
import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

from scenarios.console import Console
from scenarios.contestants import Contestant, Job, contestants, percentile
from scenarios.errors import UsageError
from scenarios.interruption import Interrupted, Interrupter, child
from scenarios.ledgers import BENCH, Balanced, Effort, balanced_of
from scenarios.model import BODY
from scenarios.report_directory import ReportDirectory
from scenarios.stacks.local import LocalStack
from scenarios.stacks.stack import PROJECT
from scenarios.whole_number import whole_number

USAGE = 2
ALMOST_NONE = 200  # requests that show what starting costs
LOOKED_AT_EVERY_S = 0.05


def main() -> None:
    """Measure, write `bench.csv`, and have it analysed."""
    Interrupter().install()
    try:
        directory = _measure(_parser().parse_args())
        analysis = subprocess.run([sys.executable, "-m", "analysis.bench", directory], cwd=PROJECT, check=False)
    except UsageError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(USAGE)
    except Interrupted as interrupted:
        print("bench: interrupted", file=sys.stderr)
        sys.exit(interrupted.exit_code)
    except OSError as error:
        print(f"bench: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        sys.exit(USAGE)
    sys.exit(analysis.returncode)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scenarios.bench", description=__doc__)
    requests, connections = whole_number("REQUESTS", 1000, 1_000_000), whole_number("CONNECTIONS", 1, 1000)
    rounds, port_offset = whole_number("ROUNDS", 1, 100), whole_number("PORT_OFFSET", 0, 50_000)
    parser.add_argument("--requests", type=requests, default=20_000, help="each sends this many (default: 20000)")
    parser.add_argument(
        "--connections", type=connections, default=100, help="over this many connections (default: 100)"
    )
    parser.add_argument("--rounds", type=rounds, default=5, help="each has so many turns (default: 5)")
    parser.add_argument("--port-offset", type=port_offset, default=0, help="add this to every port of the stack")
    parser.add_argument("--reports", type=Path, default=PROJECT / "reports", help="where reports are kept")
    return parser


def _measure(options: argparse.Namespace) -> Path:
    """Everybody's efforts, in a file of a new directory. Raises `UsageError` when they cannot be measured here."""
    if sys.platform != "linux":
        raise UsageError("only Linux says how much memory a process had at most")
    stack = LocalStack(options.port_offset)
    stack.require_open_files(options.connections)
    with stack.reserved(), stack.up():
        directory = ReportDirectory.new(options.reports, "bench").path
        with (directory / BENCH).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(Effort._fields)
            for effort in efforts(stack, options.requests, options.connections, options.rounds):
                writer.writerow(effort)
                file.flush()
    return directory


def efforts(stack: LocalStack, requests: int, connections: int, rounds: int) -> Iterator[Effort]:
    """Everybody's turns, in rounds, so that what changes on the machine meanwhile changes for all."""
    console, there = Console(stderr=True), list(contestants())
    for number in range(1, rounds + 1):
        for contestant in there:
            with console.working(f"round {number} of {rounds}: {contestant.name}"):
                yield _effort(contestant, stack, requests, connections, number)


def _effort(contestant: Contestant, stack: LocalStack, requests: int, connections: int, number: int) -> Effort:
    small_cpu_s, _, _, small = _run(contestant, stack, _whole_turns(ALMOST_NONE, connections), connections)
    cpu_s, memory_bytes, (p50, p99), balanced = _run(
        contestant, stack, _whole_turns(requests, connections), connections
    )
    ends = [row.msec for row in balanced]
    times = [1e3 * row.request_time for row in balanced]
    return Effort(
        contestant.name, number, len(balanced), cpu_s, len(small), small_cpu_s, max(ends) - min(ends),
        p50, p99, percentile(times, 0.5), percentile(times, 0.99), memory_bytes,
    )  # fmt: skip


def _whole_turns(requests: int, connections: int) -> int:
    """As many on every connection; hey would leave out the rest."""
    return connections * ceil(requests / connections)


def _run(
    contestant: Contestant, stack: LocalStack, requests: int, connections: int
) -> tuple[float, int, tuple[float, float], list[Balanced]]:
    """CPU in seconds, peak memory in bytes, the client's percentiles in ms, and the balancer's rows."""
    with TemporaryDirectory() as name:
        directory = Path(name)
        body = directory / "body.json"
        body.write_bytes(BODY)
        job = Job(stack.target, requests, connections, body, directory)
        start = stack.logged_bytes()
        code, cpu_s, memory_bytes, said = _watched(contestant.command(job), directory / "output")
        balanced = [balanced_of(row) for row in csv.reader(b"".join(stack.logged(start)).decode().splitlines())]
        good = sum(row.status == 201 for row in balanced)
        expected = requests if contestant.counts else max(1, len(balanced) - connections)  # wrk hangs up at the end
        if code or good < expected or (contestant.counts and len(balanced) != requests):
            raise UsageError(f"{contestant.name}: {good:,} of {requests:,} answered, exit code {code}: {said[-500:]}")
        return cpu_s, memory_bytes, contestant.percentiles(job, said), balanced


def _watched(command: list[str], output: Path) -> tuple[int, float, int, str]:
    """Run a command to its end: exit code, CPU in seconds, peak memory in bytes, and what it said."""

    def start() -> subprocess.Popen[bytes]:
        with output.open("wb") as file:
            return subprocess.Popen(
                command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )

    memory_bytes = 0
    with child(start, subprocess.Popen.kill) as process:
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            memory_bytes = max(memory_bytes, _peak_memory_bytes(process.pid))
            time.sleep(LOOKED_AT_EVERY_S)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime, memory_bytes, output.read_text(errors="replace")


def _peak_memory_bytes(process: int) -> int:
    """As the kernel has it, which unlike `ru_maxrss` leaves out what the process was before it became this one."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    main()
