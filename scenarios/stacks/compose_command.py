"""The user's own `docker compose` command."""

import re
import subprocess

from scenarios.errors import UsageError
from scenarios.interruption import child
from scenarios.last_words import in_one_line
from scenarios.stacks.stack import PROJECT

PROGRESS = r"(Container |Network |Image |Step |---> |Removing |Sending |Successfully |time=\S+ level=warning|$)"
BUILT_WITHIN_S = 900.0  # the longest that a build on a slow line may take
ENDED_WITHIN_S = 60.0


def compose(*arguments: str, environment: dict[str, str]) -> str:
    """What `docker compose` answers. Raises `UsageError` with its last words when it does not succeed in time."""

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
            answer, said = process.communicate(timeout=BUILT_WITHIN_S)
    except subprocess.TimeoutExpired:
        raise UsageError(f"docker compose {verb}: did not come to an end within {BUILT_WITHIN_S:g} s") from None
    if process.returncode:
        raise UsageError(f"docker compose {verb}: {in_one_line(_telling(answer + said))}")
    return answer


def _end(process: subprocess.Popen[str]) -> None:
    """End it gently, so that what it has asked of the engine is finished; but end it."""
    process.terminate()
    try:
        process.communicate(timeout=ENDED_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _telling(said: str) -> list[str]:
    """The lines that say more than how far it is."""
    return [line.strip() for line in said.splitlines() if not re.match(PROGRESS, line.strip())]
