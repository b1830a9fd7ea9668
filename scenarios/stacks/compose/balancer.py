"""The balancer of the compose stack: its workers, its configuration and its log, as they are in its container."""

import hashlib
from collections.abc import Iterator

from scenarios.formats.stack_record import BalancerState
from scenarios.spec.errors import UsageError
from scenarios.spec.nginx.balancer import NGINX
from scenarios.stacks.compose import docker_engine
from scenarios.stacks.compose.containers import streamed
from scenarios.stacks.compose.project import ComposeProject
from scenarios.stacks.fault_actions import BALANCER

CONF = "/etc/nginx/nginx.conf"
LOGS = "/var/log/nginx"
ACCESS_LOG = f"{LOGS}/access.csv"
LOG_ROW_BYTES = 400  # the longest row of the access log, with room to spare


class ComposeBalancer:
    """Asks the balancer's container, by commands that run in it."""

    def __init__(self, project: ComposeProject) -> None:
        self._project = project

    def state(self) -> BalancerState:
        """The workers and the configuration. Raises `UsageError` when the container is gone."""
        try:
            output = self._project.inside(BALANCER, "sh", "-c", f"grep -l '^{NGINX.worker_title}' /proc/[0-9]*/cmdline")
            conf = self.conf()
        except docker_engine.FAULTS as error:
            raise UsageError(docker_engine.reason(error)) from error
        workers = sorted(int(path.split("/")[2]) for path in output.split())
        return BalancerState(workers=workers, configuration=hashlib.sha256(conf.encode()).hexdigest())

    def conf(self) -> str:
        """The text of the configuration that the container was made with."""
        return self._project.inside(BALANCER, "cat", CONF)

    def require_log_space(self, requests: int) -> None:
        """Raise `UsageError` when the log has no room for so many requests: nginx would lose rows without a word."""
        output = self._project.inside(BALANCER, "df", "--block-size=1", "--output=size,avail", LOGS)
        size, room = (int(number) // LOG_ROW_BYTES for number in output.split()[-2:])
        if room < requests:
            remedy = (
                f"`docker restart {self._project.container(BALANCER).name}` empties it"
                if requests <= size
                else f"give {LOGS} a larger size in compose.yaml, or ask for fewer with REQUESTS="
            )
            raise UsageError(
                f"the balancer's log in {LOGS} has room for {room:,} requests, and {requests:,} are to come: {remedy}"
            )

    def access_log_bytes(self) -> int:
        """The length of the log of requests, in bytes."""
        return int(self._project.inside(BALANCER, "stat", "--format=%s", ACCESS_LOG))

    def access_log(self, start: int) -> Iterator[bytes]:
        """The log of requests from byte `start` on, part by part. Raises `UsageError` when the container is gone."""
        try:
            for container in self._project.containers():
                if container.service == BALANCER:
                    tail = ("tail", f"--bytes=+{start + 1}", ACCESS_LOG)
                    yield from streamed(self._project.client, container.id, *tail)
        except docker_engine.FAULTS as error:
            raise UsageError(docker_engine.reason(error)) from error
