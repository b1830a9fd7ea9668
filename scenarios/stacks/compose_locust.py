"""Locust in a container, on the network of the compose stack."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from docker.errors import NotFound

from scenarios.console import Console
from scenarios.errors import UsageError
from scenarios.open_files import needed
from scenarios.stacks import docker_engine
from scenarios.stacks.compose_project import LOCUST, ComposeProject
from scenarios.stacks.stack import PROJECT, Site

WEB_PORT = 8089  # of its web interface, in its container
INSIDE = "/app"  # where the project lies in its image


class ComposeLocust:
    """The one container of Locust that a project has at a time. Its progress is shown on `console`."""

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

    def start(self, arguments: list[str], reports: Path, site: Site | None) -> subprocess.Popen[bytes]:
        """Start it. Its end and exit code are those of the process that is returned."""
        self.remove()  # that of a run that was killed
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

    def tell(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """Send a signal to it, or, if it is not there yet, to the process that would make it."""
        try:
            self._project.client.kill(self.name, number)
        except docker_engine.FAULTS:
            process.send_signal(number)

    def remove(self) -> None:
        """Remove it, if it is there."""
        with suppress(NotFound):
            self._project.client.remove_container(self.name, force=True)

    def _terminal(self) -> list[str]:
        """What lets its progress be shown on the terminal, which its container cannot see."""
        if not self._console.is_terminal:
            return []
        return ["TTY_COMPATIBLE=1", f"TERM={os.environ.get('TERM', 'xterm')}", f"COLUMNS={self._console.width}"]


def seen(path: Path, reports: Path) -> str:
    """Where Locust's container has a file of the project or of the reports."""
    if path.is_relative_to(reports):
        return f"{INSIDE}/reports/{path.relative_to(reports)}"
    return f"{INSIDE}/{path.relative_to(PROJECT)}"
