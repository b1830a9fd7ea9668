"""What the other side of a run says: the balancer's log, and what the backends counted, before and after."""

import csv
import re
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from scenarios.errors import UsageError
from scenarios.ledgers import AFTER, BEFORE, Balanced, Processed
from scenarios.nginx_conf import NginxConf
from scenarios.report_directory import ReportDirectory
from scenarios.stack_record import StackRecord, Standing
from scenarios.stacks.stack import Stack

ANSWERED_WITHIN_S = 10.0  # a backend with an eighth of a CPU has just been busy
SILENT = (OSError, ValueError, HTTPException)
COUNTER = re.compile(r'^(models_counted_since_seconds|models_total\{outcome="\w+"\}) (\S+)$', re.MULTILINE)


@contextmanager
def witnessed(stack: Stack, directory: ReportDirectory) -> Iterator[None]:
    """Keep beside the client's ledger what balancer and backends have to say of the time that the body takes.

    What one of them cannot say any more is left out: that it is missing is for the verdict to say.
    """
    patience = NginxConf.read(directory.conf_path).patience()
    record = stack.record().model_copy(update={"patience": patience, "before": stack.standing()})
    _write_record(record, directory)
    counted = list(_counted(stack, BEFORE))
    logged = stack.logged_bytes()
    try:
        yield
    finally:
        if directory.manifest_path.exists():
            counted.extend(_counted(stack, AFTER))
            _write_record(record.model_copy(update={"after": _standing(stack)}), directory)
            _write_counted(counted, directory)
            _write_logged(stack, logged, directory)
            directory.vouch_for(directory.stack_path, directory.backends_path, directory.balancer_path)


def processed_at(moment: str, service: str, url: str) -> Processed:
    """What the backend at this address has counted. Raises one of `SILENT` when it does not say."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{url}/metrics", timeout=ANSWERED_WITHIN_S) as answer:
        tag = answer.headers.get("X-Host-Tag", "")
        values = dict(COUNTER.findall(answer.read().decode()))
    try:
        since_s = float(values["models_counted_since_seconds"])
        created, rejected = (int(values[f'models_total{{outcome="{each}"}}']) for each in ("created", "rejected"))
    except KeyError as missing:
        raise ValueError(f"{missing} is not among its counters") from missing
    return Processed(moment, service, tag, round(since_s * 1e6), created, rejected)


def _counted(stack: Stack, moment: str) -> Iterator[Processed]:
    for service, url in stack.backends().items():
        try:
            yield processed_at(moment, service, url)
        except SILENT as error:
            print(f"what {service} has counted {moment} the run is not known: {error}", file=sys.stderr)


def _standing(stack: Stack) -> Standing | None:
    try:
        return stack.standing()
    except UsageError as error:
        print(f"how the balancer stands after the run is not known: {error}", file=sys.stderr)
        return None


def _write_record(record: StackRecord, directory: ReportDirectory) -> None:
    directory.stack_path.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _write_counted(counted: list[Processed], directory: ReportDirectory) -> None:
    with directory.backends_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Processed._fields)
        writer.writerows(counted)


def _write_logged(stack: Stack, start: int, directory: ReportDirectory) -> None:
    """The balancer's log since `start`, in bytes, as it is; a balancer that is gone has taken it with it."""
    with directory.balancer_path.open("wb") as file:
        file.write(",".join(Balanced._fields).encode() + b"\n")
        try:
            file.writelines(stack.logged(start))
        except (OSError, UsageError) as error:
            print(f"the balancer's log is lost: {error}", file=sys.stderr)
