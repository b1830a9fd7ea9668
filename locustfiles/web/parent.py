"""The process that started Locust, as Locust sees it: it keeps the balancer's evidence of each run, and judges it."""

import os
import sys
from collections.abc import Callable, Iterator

import gevent
from gevent.event import AsyncResult
from gevent.socket import wait_read
from locust.env import Environment

from scenarios.formats.messages import (
    Listening,
    Message,
    RunAllowed,
    RunEnded,
    RunJudged,
    RunRefused,
    RunRequested,
    Welcome,
    decoded,
    encoded,
)
from scenarios.spec.errors import UsageError

READ_AT_ONCE_BYTES = 65_536
GONE = "the process that keeps the evidence has ended: start `make web` again"


class ParentProcess:
    """Talks over standard input and output. Everything else that is printed goes to standard error from then on.

    Calls `gone` when that process has ended.
    """

    def __init__(self, gone: Callable[[], None]) -> None:
        self._gone = gone
        self._output, self._lines = os.dup(sys.stdout.fileno()), _lines(os.dup(sys.stdin.fileno()))
        _leave_standard_files()
        self._answer: AsyncResult[RunAllowed | RunRefused] = AsyncResult()
        self._has_allowed = False  # a run that may begin, or goes on
        self.is_judging = False
        self.fault: str | None = None  # why the last run was not judged
        welcome = decoded(next(self._lines, b""))
        assert isinstance(welcome, Welcome)
        self.password = welcome.password
        gevent.spawn(self._listen)

    def listening(self) -> None:
        """Tell it that the web interface can be opened."""
        self._send(Listening())

    def ask(self, asked: RunRequested) -> RunAllowed:
        """Ask whether a run may begin. Raises `UsageError` with the reason when it may not."""
        self._answer = AsyncResult()
        self._send(asked)
        answer = self._answer.get()
        if isinstance(answer, RunRefused):
            raise UsageError(answer.reason)
        assert isinstance(answer, RunAllowed)
        self._has_allowed = True
        self.fault = None
        return answer

    def end(self) -> None:
        """Tell it that the run it allowed is over, if there is one."""
        if self._has_allowed:
            self._has_allowed = False
            self.is_judging = True
            self._send(RunEnded())

    def _send(self, message: Message) -> None:
        try:
            os.write(self._output, encoded(message))
        except OSError as error:
            raise UsageError(GONE) from error

    def _listen(self) -> None:
        try:
            for line in self._lines:
                self._receive(decoded(line))
        finally:
            self.is_judging = False
            self._answer.set(RunRefused(reason=GONE))
            self._gone()

    def _receive(self, message: Message) -> None:
        if isinstance(message, RunJudged):
            self.is_judging, self.fault = False, message.fault
        else:
            assert isinstance(message, RunAllowed | RunRefused)
            self._answer.set(message)


def release_standard_files(environment: Environment) -> None:
    """Release standard input and output in a worker: only the master talks to the process that started Locust.

    That process sees the end of Locust when no process has them open any more.
    """
    if environment.parsed_options is not None and environment.parsed_options.web_parent:
        _leave_standard_files()


def _leave_standard_files() -> None:
    """Read nothing more from standard input, and let what is printed go to standard error."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def _lines(file: int) -> Iterator[bytes]:
    """The lines of a file, read while other greenlets go on. A file object of gevent blocked the whole process."""
    rest = b""
    while True:
        wait_read(file)
        chunk = os.read(file, READ_AT_ONCE_BYTES)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
