"""Someone wants what is going on to end: Ctrl-C, SIGTERM, or a terminal that is closed."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import AnyStr

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Someone wants this to end now; `exit_code` is the shell's for it."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class Interrupter:
    """Signal handler: raises `Interrupted` at the first signal, and at no other: it must not stop the cleaning up."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._postponed = False

    def install(self) -> None:
        """Take every signal that ends a command."""
        for number in SIGNALS:
            signal.signal(number, self)

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Take note, and raise unless that is postponed."""
        if self._first is None:
            self._first = number
            self._raise()

    @contextmanager
    def postponed(self) -> Iterator[None]:
        """Raise what comes meanwhile at the end of the body."""
        before = self._first
        self._postponed = True
        try:
            yield
        finally:
            self._postponed = False
        if self._first != before:
            self._raise()

    def _raise(self) -> None:
        if not self._postponed and self._first is not None:
            raise Interrupted(128 + self._first)


def undisturbed() -> AbstractContextManager[None]:
    """A body that has to come to its end: an interruption is heeded then."""
    handler = signal.getsignal(signal.SIGINT)
    return handler.postponed() if isinstance(handler, Interrupter) else nullcontext()


@contextmanager
def child(
    start: Callable[[], subprocess.Popen[AnyStr]], end: Callable[[subprocess.Popen[AnyStr]], None]
) -> Iterator[subprocess.Popen[AnyStr]]:
    """A process that is ended when the body is left by an exception, at whatever moment that comes."""
    process = None
    try:
        with undisturbed():  # or it might have begun without anybody knowing it
            process = start()
        yield process
    except BaseException:
        if process is not None:
            end(process)
        raise
