"""SIGINT and SIGTERM, which end Locust in order at any moment.

Locust itself takes SIGTERM only when a headless run is over: before that, SIGTERM kills it. Python lets SIGINT strike
any greenlet, also one that has a request in flight. A process that a script starts in the background inherits SIGINT as
ignored. And Locust leaves behind the workers that it has forked and could not tell to quit.
"""

import atexit
import os
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import gevent
import psutil
from gevent.monkey import get_original

ENDING = (signal.SIGINT, signal.SIGTERM)
QUITS_WITHIN_S = 3.0  # a worker that was told to quit
ENDS_WITHIN_S = 8.0  # a worker that awaits its last answers first
CHECKED_EVERY_S = 0.02

# Locust's replacement needs the event loop, which has ended, or which a signal handler interrupts
_sleep: Any = get_original("time", "sleep")


def exit_code(number: int) -> int:
    """The shell's exit code for a process that a signal has ended."""
    return 128 + number


def end_at_once() -> None:
    """Let SIGTERM end this process and the workers that it has forked, until Locust or `hand_over` takes it."""
    signal.signal(signal.SIGTERM, _end)


def hand_over(end: Callable[[int], None]) -> None:
    """Call `end` with the number of each SIGINT and SIGTERM, in a greenlet of its own."""
    for number in ENDING:
        gevent.signal_handler(number, end, number)
    atexit.register(_ignore)


def sigint_to_locust() -> None:
    """Let SIGINT strike the main greenlet only: there Locust takes it, as it takes SIGTERM."""
    main: Any = gevent.get_hub().parent
    gevent.signal_handler(signal.SIGINT, lambda: gevent.kill(main, KeyboardInterrupt))
    atexit.register(_ignore)


def end_workers_at_exit() -> None:
    """When this process exits, await the end of the workers that it has forked, and end those that stay."""

    def end() -> None:
        _end_workers(_left(psutil.Process().children(), QUITS_WITHIN_S))

    atexit.register(end)


def _end(number: int, _frame: FrameType | None) -> None:
    """End without an exception: Python drops one that a signal handler raises within a finalizer."""
    _end_workers(psutil.Process().children())
    os._exit(exit_code(number))


def _ignore() -> None:
    """Keep the exit code of a process that is about to exit: Python restores the deadly default before it has."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def _end_workers(workers: list[psutil.Process]) -> None:
    for worker in workers:
        worker.terminate()
    for worker in _left(workers, ENDS_WITHIN_S):
        worker.kill()


def _left(workers: list[psutil.Process], within_s: float) -> list[psutil.Process]:
    """The workers that have not ended within this time."""
    deadline = time.monotonic() + within_s
    while (left := [worker for worker in workers if _lives(worker)]) and time.monotonic() < deadline:
        _sleep(CHECKED_EVERY_S)
    return left


def _lives(worker: psutil.Process) -> bool:
    try:
        return worker.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
