"""Where a person is told what goes on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any

import rich.console


class Console(rich.console.Console):
    """A console that falls silent when nobody listens any more; what is being done goes on, with its own exit code."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, **options)

    def on_broken_pipe(self) -> None:
        """Print the rest to nowhere."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())

    @contextmanager
    def working(self, what: str, after_s: float = 0.0) -> Iterator[None]:
        """Say what takes a while: moving on a terminal for as long as it lasts, in a line of its own elsewhere.

        That line comes when it has taken so many seconds already.
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
