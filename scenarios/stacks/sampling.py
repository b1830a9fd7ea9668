"""Writes down what the services of a stack use while a run goes on."""

import csv
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenarios.ledgers import Resource
from scenarios.stacks.stack import Meter, MeterFault


@contextmanager
def sampled(meter: Meter, path: Path) -> Iterator[None]:
    """Keep `resources.csv` for as long as the body takes.

    A fault of the meter ends the samples and not the run: that they are missing is for the verdict to say.
    """
    turn = threading.Lock()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Resource._fields)

        def emit(sample: Resource) -> None:
            with turn:
                writer.writerow(sample)

        try:
            meter.start(emit)
            yield
        finally:
            try:
                meter.stop()
            except MeterFault as fault:
                print(f"resources were not sampled to the end: {fault}", file=sys.stderr)
