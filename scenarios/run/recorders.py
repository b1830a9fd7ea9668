"""Records the other ledgers of a run: the balancer's log, and what the backends counted before and after."""

import csv
import re
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from scenarios.formats.columns import header
from scenarios.formats.report_directory import ReportDirectory
from scenarios.formats.rows import AFTER, BEFORE, Balanced, Processed
from scenarios.formats.stack_record import BalancerState, StackRecord
from scenarios.spec.errors import UsageError
from scenarios.spec.nginx.balancer import NGINX
from scenarios.spec.target import Target
from scenarios.stacks.stack import Stack

ANSWERED_WITHIN_S = 10.0  # a backend with an eighth of a CPU may have just been busy
COUNTER_ERRORS = (OSError, ValueError, HTTPException)
# What the service in backend/ says of itself: how many models it created, and from when on it has counted
COUNTER = re.compile(r'^(models_counted_since_seconds|models_total\{outcome="\w+"\}) (\S+)$', re.MULTILINE)


@contextmanager
def other_ledgers_recorded(stack: Stack, directory: ReportDirectory, target: Target) -> Iterator[None]:
    """Record beside the client's ledger what balancer and backends say of the time of the body.

    It leaves out what one of them cannot say any more: the verdict says what is missing.
    """
    patience = NGINX.configuration(directory.conf_path).patience()
    record = stack.record().model_copy(update={"patience": patience, "before": stack.balancer_state()})
    _write_record(record, directory)
    counted = list(_counted(stack, BEFORE, target))
    log_start = stack.access_log_bytes()
    try:
        yield
    finally:
        if directory.manifest_path.exists():
            counted.extend(_counted(stack, AFTER, target))
            _write_record(record.model_copy(update={"after": _balancer_state(stack)}), directory)
            _write_counted(counted, directory)
            _write_access_log(stack, log_start, directory)
            directory.add_to_end_mark(directory.stack_path, directory.backends_path, directory.balancer_path)


def processed_at(moment: str, service: str, url: str) -> Processed:
    """The counters of the backend at this address. Raises one of `COUNTER_ERRORS` when it does not give them."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{url}/metrics", timeout=ANSWERED_WITHIN_S) as answer:
        tag = Target().identity.of(answer.headers)
        values = dict(COUNTER.findall(answer.read().decode()))
    try:
        since_s = float(values["models_counted_since_seconds"])
        created, rejected = (int(values[f'models_total{{outcome="{each}"}}']) for each in ("created", "rejected"))
    except KeyError as missing:
        raise ValueError(f"{missing} is not among its counters") from missing
    return Processed(moment, service, tag, round(since_s * 1e6), created, rejected)


def _counted(stack: Stack, moment: str, target: Target) -> Iterator[Processed]:
    """What the backends have counted, unless the run asks for something that they do not count."""
    own = Target()
    if (target.text, target.expected_statuses) != (own.text, own.expected_statuses):
        print(f"the backends count {own.text} and not {target.text}: their counters are left out", file=sys.stderr)
        return
    for service, url in stack.backends().items():
        try:
            yield processed_at(moment, service, url)
        except COUNTER_ERRORS as error:
            print(f"what {service} has counted {moment} the run is not known: {error}", file=sys.stderr)


def _balancer_state(stack: Stack) -> BalancerState | None:
    try:
        return stack.balancer_state()
    except UsageError as error:
        print(f"the state of the balancer after the run is not known: {error}", file=sys.stderr)
        return None


def _write_record(record: StackRecord, directory: ReportDirectory) -> None:
    directory.stack_path.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _write_counted(counted: list[Processed], directory: ReportDirectory) -> None:
    with directory.backends_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header(Processed))
        writer.writerows(counted)


def _write_access_log(stack: Stack, start: int, directory: ReportDirectory) -> None:
    """Write the balancer's log from byte `start` on, as it is. A balancer that is gone has taken its log with it."""
    with directory.balancer_path.open("wb") as file:
        file.write(",".join(header(Balanced)).encode() + b"\n")
        try:
            file.writelines(stack.access_log(start))
        except (OSError, UsageError) as error:
            print(f"the balancer's log is lost: {error}", file=sys.stderr)
