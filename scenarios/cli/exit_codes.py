"""Exit codes, and the end of a command that went wrong: one sentence, and a code that no verdict has.

PASS is 0, FAIL 1 and INVALID 3 (analysis/checks/check.py).
"""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scenarios.cli.signals import Interrupted
from scenarios.spec.errors import UsageError

USAGE = 2
CRASH = 70  # EX_SOFTWARE of sysexits.h
VERDICTS = (0, 1, 3)
INTERRUPTED = 130


def sentence_of(error: BaseException) -> str | None:
    """The sentence for an error that the user can mend; None for a fault of this program."""
    if isinstance(error, UsageError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'output'}: {error.strerror}"
    return None


@contextmanager
def ends_in_order(program: str, sentence: Callable[[BaseException], str | None] = sentence_of) -> Iterator[None]:
    """End the process with one sentence and the right exit code when the body raises.

    An error that `sentence` knows ends with 2, an interruption with the shell's code for the signal. Any other
    exception is a fault of this program: its traceback is kept in a file, and the exit code is 70.
    """
    try:
        yield
    except Interrupted as interrupted:
        print(f"{program}: interrupted", file=sys.stderr)
        sys.exit(interrupted.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # the reader of the output closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - a traceback with exit code 1 would read as a FAIL
        said = sentence(error)
        print(f"{program}: {said or _crash(error)}", file=sys.stderr)
        sys.exit(USAGE if said else CRASH)


def _crash(error: Exception) -> str:
    """The sentence for a fault of this program; it says where the traceback is."""
    what = f"crashed with {type(error).__name__}: {error}; this is a fault of this program and no verdict"
    text = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="load-balancer-proofs-", suffix=".traceback", delete=False
        ) as file:
            file.write(text)
    except OSError:
        return f"{what}. {text}"
    return f"{what}. The traceback is in {file.name}"
