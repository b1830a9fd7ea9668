"""The process that started Locust, as Locust sees it: it keeps the other side's evidence of each run, and judges it."""

import os
import sys
from collections.abc import Callable, Iterator

import gevent
from gevent.event import AsyncResult
from gevent.socket import wait_read
from locust.env import Environment

from scenarios.attendance import Allowed, Asked, Ended, Judged, Listening, Refused, Welcome, Word, heard, spoken
from scenarios.errors import UsageError

READ_AT_ONCE_BYTES = 65_536
GONE = "the process that keeps the evidence is gone: start `make web` again"


class Attendant:
    """Talks over what was standard input and output; what anybody else prints goes to standard error from then on.

    When it is gone, `gone` is called.
    """

    def __init__(self, gone: Callable[[], None]) -> None:
        self._gone = gone
        self._output, self._lines = os.dup(sys.stdout.fileno()), _lines(os.dup(sys.stdin.fileno()))
        _leave_standard_files()
        self._answer: AsyncResult[Allowed | Refused] = AsyncResult()
        self._attends = False  # to a run that may begin, or goes on
        self.is_judging = False
        self.fault: str | None = None  # why the last run was not judged
        welcome = heard(next(self._lines, b""))
        assert isinstance(welcome, Welcome)
        self.password = welcome.password
        gevent.spawn(self._listen)

    def listening(self) -> None:
        """Say that the web interface can be opened."""
        self._say(Listening())

    def ask(self, asked: Asked) -> Allowed:
        """Ask for a run to begin. Raises `UsageError` when it may not."""
        self._answer = AsyncResult()
        self._say(asked)
        answer = self._answer.get()
        if isinstance(answer, Refused):
            raise UsageError(answer.reason)
        assert isinstance(answer, Allowed)
        self._attends = True
        self.fault = None
        return answer

    def end(self) -> None:
        """Say that the run that was allowed is over, if there is one."""
        if self._attends:
            self._attends = False
            self.is_judging = True
            self._say(Ended())

    def _say(self, word: Word) -> None:
        try:
            os.write(self._output, spoken(word))
        except OSError as error:
            raise UsageError(GONE) from error

    def _listen(self) -> None:
        try:
            for line in self._lines:
                self._heed(heard(line))
        finally:
            self.is_judging = False
            self._answer.set(Refused(reason=GONE))
            self._gone()

    def _heed(self, word: Word) -> None:
        if isinstance(word, Judged):
            self.is_judging, self.fault = False, word.fault
        else:
            assert isinstance(word, Allowed | Refused)
            self._answer.set(word)


def leave_to_the_leader(environment: Environment) -> None:
    """In a worker: the attendant is the leader's to talk to, and notices that Locust has ended by its silence."""
    if environment.parsed_options is not None and environment.parsed_options.attended:
        _leave_standard_files()


def _leave_standard_files() -> None:
    """Read nothing more from standard input, and let what is printed go to standard error."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def _lines(file: int) -> Iterator[bytes]:
    """The lines that come from a file, while other greenlets go on. A file object of gevent's was seen to block."""
    rest = b""
    while True:
        wait_read(file)
        chunk = os.read(file, READ_AT_ONCE_BYTES)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
