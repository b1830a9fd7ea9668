"""Starts and ends the process that removes the compose stack after a run."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenarios.cli.log_tail import log_tail
from scenarios.cli.signals import child
from scenarios.stacks.compose.command import BUILT_WITHIN_S, ENDED_WITHIN_S
from scenarios.stacks.stack import PROJECT

REMOVED_WITHIN_S = BUILT_WITHIN_S + 2 * ENDED_WITHIN_S  # longer than its own command for that may take


@contextmanager
def stack_removed_afterwards(directory: Path, port_offset: int, lock: int) -> Iterator[None]:
    """Remove the stack when the body has ended, or when this process ends for whatever reason.

    Another process does it. It may outlive this one, and therefore has a log of its own in `directory`. It inherits the
    `lock` (a file descriptor), so that no other command uses the stack until it is removed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "cleanup.log"

    def start() -> subprocess.Popen[bytes]:
        with log.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "scenarios.stacks.compose.cleanup", str(port_offset)],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=[lock],
                start_new_session=True,
            )

    def end(cleanup: subprocess.Popen[bytes]) -> None:
        assert cleanup.stdin is not None
        cleanup.stdin.close()
        try:
            code = cleanup.wait(REMOVED_WITHIN_S)
        except subprocess.TimeoutExpired:
            print(f"the compose stack was not removed within {REMOVED_WITHIN_S:g} s", file=sys.stderr)
        else:
            if code:
                print(f"the compose stack could not be removed: {log_tail(log)}", file=sys.stderr)

    with child(start, end) as cleanup:
        yield
        end(cleanup)
