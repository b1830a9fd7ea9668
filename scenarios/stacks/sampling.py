"""Writes `resources.csv`: what the services of a stack use during a run."""

import csv
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenarios.formats.columns import header
from scenarios.formats.rows import Resource
from scenarios.stacks.stack import Meter, MeterFault


@contextmanager
def resources_sampled(meter: Meter, path: Path) -> Iterator[None]:
    """Write samples into a file while the body runs.

    A fault of the meter ends the samples and not the run: the verdict says that samples are missing.
    """
    lock = threading.Lock()  # the meter has several threads
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header(Resource))

        def emit(sample: Resource) -> None:
            with lock:
                writer.writerow(sample)

        try:
            meter.start(emit)
            yield
        finally:
            try:
                meter.stop()
            except MeterFault as fault:
                print(f"resources were not sampled to the end: {fault}", file=sys.stderr)
