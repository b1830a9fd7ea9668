"""Locust in a container, on the network of the compose stack."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from docker.errors import NotFound

from scenarios.cli.console import Console
from scenarios.spec.errors import UsageError
from scenarios.stacks.compose import docker_engine
from scenarios.stacks.compose.project import LOCUST, ComposeProject
from scenarios.stacks.open_files import needed
from scenarios.stacks.stack import PROJECT, WebAddress

WEB_PORT = 8089  # of the web interface, in the container
INSIDE = "/app"  # the project's directory in the image


class ComposeLocust:
    """The container of Locust; a project has one at a time. `console` shows its progress."""

    def __init__(self, project: ComposeProject, console: Console) -> None:
        self._project = project
        self._console = console
        self.name = f"{project.name}-{LOCUST}"

    def require_open_files(self, users: int) -> None:
        """Raise `UsageError` when it may not open a file per user."""
        limit = self._project.services[LOCUST]["ulimits"]["nofile"]
        hard = limit if isinstance(limit, int) else limit["hard"]
        if hard < needed(users):
            raise UsageError(
                f"{users:,} users need {needed(users):,} open files, and compose.yaml allows {hard:,}: "
                "raise nofile there, or ask for fewer with USERS="
            )

    def start(self, arguments: list[str], reports: Path, site: WebAddress | None) -> subprocess.Popen[bytes]:
        """Start it. The process that is returned ends with it, and with its exit code."""
        self.remove()  # a run that was killed may have left one
        published = ["--publish", f"{site.address}:{WEB_PORT}"] if site else []
        served = ["--web-host", "0.0.0.0", "--web-port", str(WEB_PORT)] if site else []  # noqa: S104 - in its container
        return subprocess.Popen(
            [*("docker", "compose", "--progress", "quiet", "run", "--rm", "--no-deps", "--no-TTY"),
             *(option for pair in self._terminal() for option in ("--env", pair)), *published,
             *("--name", self.name, LOCUST, *served, *arguments)],
            cwd=PROJECT,
            env=self._project.environment | {"REPORTS": str(reports)},
            stdin=subprocess.PIPE if site else subprocess.DEVNULL,
            stdout=subprocess.PIPE if site else None,
            start_new_session=True,
        )  # fmt: skip

    def send_signal(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """Send a signal to it, or, while it does not exist, to the process that is about to make it."""
        try:
            self._project.client.kill(self.name, number)
        except docker_engine.FAULTS:
            process.send_signal(number)

    def remove(self) -> None:
        """Remove it, if it exists."""
        with suppress(NotFound):
            self._project.client.remove_container(self.name, force=True)

    def _terminal(self) -> list[str]:
        """The variables that describe the terminal, which the container cannot see, so that progress shows on it."""
        if not self._console.is_terminal:
            return []
        return ["TTY_COMPATIBLE=1", f"TERM={os.environ.get('TERM', 'xterm')}", f"COLUMNS={self._console.width}"]


def path_in_container(path: Path, reports: Path) -> str:
    """The path of a file of the project or of the reports in Locust's container."""
    if path.is_relative_to(reports):
        return f"{INSIDE}/reports/{path.relative_to(reports)}"
    return f"{INSIDE}/{path.relative_to(PROJECT)}"
