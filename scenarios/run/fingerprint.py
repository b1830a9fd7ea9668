"""Takes the fingerprint of a stack's balancer: stack up, probe, stack down if it was not up before, analysis."""

import csv
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from scenarios.cli.console import Console
from scenarios.formats.columns import header
from scenarios.formats.probe_record import RECORD, Phase, ProbeRecord
from scenarios.formats.report_directory import CONF, ReportDirectory
from scenarios.formats.rows import PROBE, Balanced, Probed, balanced_of
from scenarios.run.analysis_process import analysed
from scenarios.run.prober import Prober
from scenarios.run.runner import stack_up
from scenarios.spec.claim import Claim
from scenarios.spec.nginx.balancer import NGINX
from scenarios.spec.target import Target
from scenarios.stacks.stack import Stack

NAME = "fingerprint"
RESULT = "fingerprint.json"
LOGGED_WITHIN_S = 5.0
POLLED_EVERY_S = 0.05


def fingerprint(stack: Stack, reports: Path) -> int:
    """Say which algorithm a stack's balancer looks like; the evidence is written under `reports`.

    Returns the exit code: 0 when it is the one of the configuration, 1 when it is another, 3 when that cannot be told.
    Raises `UsageError` when the stack or its configuration do not allow it. Nothing is left running or paused.
    """
    with stack.locked():
        print(f"{NAME}: Which algorithm does the balancer look like?", flush=True)
        with stack_up(stack):
            directory = ReportDirectory.new(reports, NAME).path
            try:
                _probe(stack, directory)
            finally:
                if not (directory / RECORD).exists():
                    shutil.rmtree(directory)
    print(flush=True)
    return analysed("analysis.fingerprint", str(directory), result=directory / RESULT)


def _probe(stack: Stack, directory: Path) -> None:
    """Send the requests, and write a row for each with its backend; then write the record of the probe."""
    (directory / CONF).write_text(stack.balancer_conf(), encoding="utf-8")
    conf = NGINX.configuration(directory / CONF)
    prober = Prober(stack, Target().at(stack.url), Claim.of_turns(conf).weights)
    prober.require_short_cycle()
    no_addresses = prober.why_no_addresses()
    start = stack.access_log_bytes()
    with Console(stderr=True).working("asking: some seconds"):
        rows = [*prober.sequential(), *([] if no_addresses else prober.addresses()), *prober.slowed()]
        balanced = logged(stack, start, {row.request_id for row in rows if row.status})
    _write(directory / PROBE, (joined(row, balanced) for row in rows))
    record = ProbeRecord(
        stack=stack.name,
        target=prober.target,
        weights=prober.weights,
        configured=conf.algorithms(),
        paused=prober.heaviest,
        left_out={Phase.ADDRESSES: no_addresses} if no_addresses else {},
        foreign=len(balanced.keys() - {row.request_id for row in rows}),
    )
    (directory / RECORD).write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")


def logged(stack: Stack, start: int, wanted: set[str]) -> dict[str, Balanced]:
    """The rows of the balancer's log from byte `start` on that name a backend, by request id; waits for those wanted.

    The balancer writes a row after it has sent an answer, so the last rows may come after the answers.
    """
    deadline = time.monotonic() + LOGGED_WITHIN_S
    while True:
        text = b"".join(stack.access_log(start)).decode()
        whole, _, _ = text.rpartition("\n")
        rows = list(_rows(whole))
        if wanted <= {row.request_id for row in rows} or time.monotonic() > deadline:
            no_backend = ("", NGINX.notation.nothing)  # was asked: the balancer answered by itself
            return {row.request_id: row for row in rows if row.upstream_addresses not in no_backend}
        time.sleep(POLLED_EVERY_S)


def _rows(text: str) -> Iterator[Balanced]:
    """The rows of a log. It leaves out a damaged row, so that its request counts as one that is not in the log."""
    for row in csv.reader(text.splitlines()):
        with suppress(ValueError):
            yield balanced_of(row)


def joined(row: Probed, balanced: dict[str, Balanced]) -> Probed:
    """A row with what the balancer's log adds to it."""
    known = balanced.get(row.request_id)
    if known is None:
        return row
    return row._replace(pid=known.worker, attempts=len(NGINX.notation.attempts(known.upstream_addresses)))


def _write(path: Path, rows: Iterable[Probed]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header(Probed))
        writer.writerows(rows)
