"""What stands in the way of an analysis, told in one sentence: no traceback, and an exit code that is no verdict's."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from scenarios.errors import UsageError

USAGE = 2
INTERRUPTED = 130


@contextmanager
def told() -> Iterator[None]:
    """End the program with a sentence when the body is refused or finds no file, and without one on Ctrl-C."""
    try:
        yield
    except UsageError as error:
        print(f"analysis: {error}", file=sys.stderr)
        sys.exit(USAGE)
    except OSError as error:
        print(f"analysis: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
