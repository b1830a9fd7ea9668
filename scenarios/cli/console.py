"""The console that shows a person what a command is doing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any

import rich.console


class Console(rich.console.Console):
    """A console that falls silent when its reader has gone; the command goes on, and ends with its own exit code."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, **options)

    def on_broken_pipe(self) -> None:
        """Discard the rest of the output."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())

    @contextmanager
    def working(self, what: str, after_s: float = 0.0) -> Iterator[None]:
        """Say what takes a while: with a moving sign on a terminal, in a line of its own elsewhere.

        That line comes after so many seconds.
        """
        if self.is_terminal:
            with self.status(what):
                yield
        elif not after_s:
            self.print(what, soft_wrap=True, markup=False)
            yield
        else:
            line = Timer(after_s, self.print, [what], {"soft_wrap": True, "markup": False})
            line.start()
            try:
                yield
            finally:
                line.cancel()
