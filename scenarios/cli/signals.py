"""Interruptions of a command: Ctrl-C, SIGTERM, or a terminal that is closed."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import AnyStr

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal tells this process to end; `exit_code` is the shell's for that signal."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class SignalHandlers:
    """Signal handler: raises `Interrupted` at the first signal only. A second one must not stop the cleaning up."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._postponed = False

    def install(self) -> None:
        """Handle every signal that ends a command."""
        for number in SIGNALS:
            signal.signal(number, self)

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Remember the first signal, and raise unless that is postponed."""
        if self._first is None:
            self._first = number
            self._raise()

    @contextmanager
    def postponed(self) -> Iterator[None]:
        """Raise a signal that comes during the body at its end."""
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


def interruption_postponed() -> AbstractContextManager[None]:
    """Postpone an interruption to the end of the body, which has to come to its end."""
    handler = signal.getsignal(signal.SIGINT)
    return handler.postponed() if isinstance(handler, SignalHandlers) else nullcontext()


@contextmanager
def child(
    start: Callable[[], subprocess.Popen[AnyStr]], end: Callable[[subprocess.Popen[AnyStr]], None]
) -> Iterator[subprocess.Popen[AnyStr]]:
    """A process that `end` ends when an exception leaves the body, at whatever moment that comes."""
    process = None
    try:
        with interruption_postponed():  # else it could be running while `process` is still None
            process = start()
        yield process
    except BaseException:
        if process is not None:
            end(process)
        raise
