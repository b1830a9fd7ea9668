"""Someone wants what is going on to end: Ctrl-C, SIGTERM, or a terminal that is closed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Someone wants this to end now; `exit_code` is the shell's for it."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


def interrupt(number: int, _frame: FrameType | None) -> None:
    """Signal handler: raise `Interrupted`, once."""
    signal.signal(number, signal.SIG_IGN)  # the first word is enough: a second one must not stop the cleaning up
    raise Interrupted(128 + number)


@contextmanager
def postponed() -> Iterator[None]:
    """Let no signal in before the body is done, or a process that it starts might never be known to anybody."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        heed()


def heed() -> None:
    """Let signals in; what a process starts inherits that they are kept out."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
