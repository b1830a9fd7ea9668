"""Report directories with made-up ledgers."""

from tests.builders import evidence

WEIGHTS = {"a": 1, "b": 2, "c": 3}
EXACT = {"a": 167, "b": 333, "c": 500}


def write(directory, rows, **options):
    evidence.write(directory, rows, WEIGHTS, **options)
