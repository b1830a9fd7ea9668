"""Where a person is told what goes on."""

import os
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
