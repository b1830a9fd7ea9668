"""Starts and ends the supervisor of the local stack, which is a process of its own."""

import select
import subprocess
from contextlib import suppress
from pathlib import Path

from scenarios.cli.log_tail import log_tail
from scenarios.spec.errors import UsageError
from scenarios.stacks.local.processes import STOPPED_WITHIN_S
from scenarios.stacks.stack import PROJECT

READY = "ready"  # the supervisor's one line when every service is healthy; any other line says what went wrong


def start_supervisor(command: list[str], log: Path, within_s: float) -> subprocess.Popen[str]:
    """Start the supervisor and wait until every service is healthy.

    It may outlive this process, and therefore has a log of its own instead of this process's output. Raises
    `UsageError` when a service does not become healthy, and when there is no answer within so many seconds; the
    supervisor has ended then.
    """
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            command,
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            start_new_session=True,
        )
    try:
        answer = _answer(supervisor, within_s)
    except BaseException:
        end_supervisor(supervisor)
        raise
    if answer != READY:
        end_supervisor(supervisor)
        raise UsageError(answer or f"the supervisor of the stack gave up: {log_tail(log)}")
    return supervisor


def end_supervisor(supervisor: subprocess.Popen[str]) -> None:
    """End the supervisor, which stops the services first."""
    assert supervisor.stdin is not None
    supervisor.stdin.close()
    supervisor.terminate()
    with suppress(subprocess.TimeoutExpired):
        supervisor.wait(STOPPED_WITHIN_S)
    supervisor.kill()
    supervisor.wait(STOPPED_WITHIN_S)


def _answer(supervisor: subprocess.Popen[str], within_s: float) -> str:
    """The supervisor's one line; empty when it ends, or says nothing in time."""
    assert supervisor.stdout is not None
    with supervisor.stdout as output:
        readable, _, _ = select.select([output], [], [], within_s)
        return output.readline().strip() if readable else ""
