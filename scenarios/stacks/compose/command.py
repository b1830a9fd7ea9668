"""The user's own `docker compose` command."""

import re
import subprocess
from contextlib import suppress

from scenarios.cli.log_tail import in_one_line
from scenarios.cli.signals import child
from scenarios.spec.errors import UsageError
from scenarios.stacks.stack import PROJECT

PROGRESS = r"(Container |Network |Image |Step |---> |Removing |Sending |Successfully |time=\S+ level=warning|$)"
BUILT_WITHIN_S = 900.0  # long enough for a build on a slow line
ENDED_WITHIN_S = 60.0


def compose(*arguments: str, environment: dict[str, str]) -> str:
    """The output of `docker compose`. Raises `UsageError` with its last lines when it does not succeed in time."""

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["docker", "compose", "--progress", "plain", *arguments],  # noqa: S607
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    verb = next(argument for argument in arguments if argument in ("build", "config", "down", "up"))
    try:
        with child(start, _end) as process:
            output, errors = process.communicate(timeout=BUILT_WITHIN_S)
    except subprocess.TimeoutExpired:
        raise UsageError(f"docker compose {verb}: did not come to an end within {BUILT_WITHIN_S:g} s") from None
    if process.returncode:
        raise UsageError(f"docker compose {verb}: {in_one_line(_without_progress(output + errors))}")
    return output


def _end(process: subprocess.Popen[str]) -> None:
    """End it gently, so that it can finish what it has asked of the engine; kill it when that takes too long."""
    process.terminate()
    try:
        process.communicate(timeout=ENDED_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        with suppress(subprocess.TimeoutExpired):  # a process that it has started may hold its output open
            process.communicate(timeout=ENDED_WITHIN_S)


def _without_progress(output: str) -> list[str]:
    """The lines that say more than how far it is."""
    return [line.strip() for line in output.splitlines() if not re.match(PROGRESS, line.strip())]
