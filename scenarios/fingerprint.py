"""Takes the fingerprint of a stack's balancer: stack up, probe, stack down if it was not up before, analysis."""

import csv
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from scenarios.claim import Claim
from scenarios.console import Console
from scenarios.ledgers import PROBE, Balanced, Probed, balanced_of
from scenarios.nginx_conf import NginxConf
from scenarios.probe import Prober
from scenarios.probe_record import RECORD, Algorithm, Phase, ProbeRecord
from scenarios.report_directory import ReportDirectory
from scenarios.stacks.stack import PROJECT, Stack

NAME = "fingerprint"
CONF = "nginx.conf"
NOBODY = ("", "-")  # was asked: the balancer answered by itself
LOGGED_WITHIN_S = 5.0
ADDRESSES = {"$remote_addr", "$binary_remote_addr"}
METHODS = {"least_conn": Algorithm.LEAST_CONNECTIONS, "ip_hash": Algorithm.ADDRESS_HASH, "random": Algorithm.RANDOM}


def fingerprint(stack: Stack, reports: Path) -> int:
    """Say which algorithm a stack's balancer looks like; the evidence is kept under `reports`.

    Returns the exit code: 0 when it is the one of the configuration, 1 when it is another, 3 when that cannot be told.
    Raises `UsageError` when the stack or its configuration do not allow it. Nothing is left running, or frozen.
    """
    with stack.reserved():
        print(f"{NAME}: Which algorithm does the balancer look like?", flush=True)
        with stack.up() as started:
            print(f"{stack.name} stack {'started' if started else 'was up already'}: {stack.url}", flush=True)
            directory = ReportDirectory.new(reports, NAME).path
            try:
                _probe(stack, directory)
            finally:
                if not (directory / RECORD).exists():
                    shutil.rmtree(directory)
    print(flush=True)
    command = [sys.executable, "-m", "analysis.fingerprint", str(directory)]
    return subprocess.run(command, cwd=PROJECT, check=False).returncode


def _probe(stack: Stack, directory: Path) -> None:
    """Ask, and write down who answered, then what was asked of whom."""
    (directory / CONF).write_text(stack.claimed_conf(), encoding="utf-8")
    conf = NginxConf.read(directory / CONF)
    prober = Prober(stack, stack.url, Claim.of_upstream(conf).weights)
    prober.require_short_cycle()
    without = prober.why_no_addresses()
    start = stack.logged_bytes()
    with Console(stderr=True).working("asking: some seconds"):
        rows = [*prober.sequential(), *([] if without else prober.addresses()), *prober.slowed()]
        balanced = logged(stack, start, {row.request_id for row in rows if row.status})
    _write(directory / PROBE, (joined(row, balanced) for row in rows))
    record = ProbeRecord(
        stack=stack.name,
        weights=prober.weights,
        configured=configured(conf),
        frozen=prober.heaviest,
        left_out={Phase.ADDRESSES: without} if without else {},
        strangers=len(balanced.keys() - {row.request_id for row in rows}),
    )
    (directory / RECORD).write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")


def configured(conf: NginxConf) -> tuple[Algorithm, ...]:
    """What an upstream's configuration says it does; several when they are the same, none when it is none of ours."""
    line = conf.method()
    if line is None and conf.worker_processes() == 1:
        return Algorithm.SHARED, Algorithm.PER_WORKER
    if line is None:
        return (Algorithm.SHARED if any(conf.find("zone")) else Algorithm.PER_WORKER,)
    name, arguments = line["directive"], line["args"]
    if name == "hash" and set(arguments[:1]) <= ADDRESSES:
        return (Algorithm.ADDRESS_HASH,)
    return (METHODS[name],) if name in METHODS and not arguments else ()


def logged(stack: Stack, start: int, asked: set[str]) -> dict[str, Balanced]:
    """What the balancer logged since byte `start` of what it passed on, by request id; waits for those asked.

    It writes a row once an answer is sent, so the last rows may come after the answers.
    """
    deadline = time.monotonic() + LOGGED_WITHIN_S
    while True:
        text = b"".join(stack.logged(start)).decode()
        whole, _, _ = text.rpartition("\n")
        rows = list(_rows(whole))
        if asked <= {row.balanced_request_id for row in rows} or time.monotonic() > deadline:
            return {row.balanced_request_id: row for row in rows if row.upstream_addr not in NOBODY}
        time.sleep(0.05)


def _rows(text: str) -> Iterator[Balanced]:
    """The rows of a log; of one that is damaged there is none, so that its request is one that is not in the log."""
    for row in csv.reader(text.splitlines()):
        with suppress(ValueError):
            yield balanced_of(row)


def joined(row: Probed, balanced: dict[str, Balanced]) -> Probed:
    """A row with the balancer's part of it."""
    known = balanced.get(row.request_id)
    return row._replace(pid=known.pid, tries=known.upstream_addr.count(",") + 1) if known else row


def _write(path: Path, rows: Iterable[Probed]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Probed._fields)
        writer.writerows(rows)
