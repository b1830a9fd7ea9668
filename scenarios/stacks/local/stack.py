"""The local stack: nginx and its backends as processes of this user, on 127.0.0.1. It needs no Docker and no root."""

import hashlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Literal

import psutil

from scenarios.cli.log_tail import tail
from scenarios.formats.report_directory import versions
from scenarios.formats.stack_record import BalancerState, Limits, StackRecord
from scenarios.spec.errors import UsageError
from scenarios.spec.nginx.conf import NginxConf
from scenarios.stacks import open_files
from scenarios.stacks.fault_actions import BALANCER
from scenarios.stacks.local.conf import backends, balancer, local_text
from scenarios.stacks.local.fault_actions import SUPERVISOR, LocalFaultActions
from scenarios.stacks.local.meter import LocalMeter
from scenarios.stacks.local.processes import ProcessId
from scenarios.stacks.local.service import HEALTHY_WITHIN_S, Service, backend_service, nginx_service, url_of
from scenarios.stacks.local.state_file import StateFile
from scenarios.stacks.local.supervisor_process import end_supervisor, start_supervisor
from scenarios.stacks.ports import LOOPBACK, require_free
from scenarios.stacks.stack import PROJECT, ServiceState, WebAddress
from scenarios.stacks.state_directory import STATE, directory_of, locked

CONF = PROJECT / "nginx" / "nginx.conf"
ACCESS_LOG = "access.csv"  # its name in CONF
READ_AT_ONCE_BYTES = 1 << 20


class LocalStack:
    """The services of the local stack, and whether they run. The processes belong to a supervisor."""

    name = "local"
    sees_client_addresses = True  # nothing stands between a client and nginx

    def __init__(self, port_offset: int = 0, conf: Path = CONF, state: Path = STATE) -> None:
        self.port_offset = port_offset
        self.conf = conf
        self.directory = directory_of(self.name, port_offset, state)
        self.state = StateFile(self.directory / "stack.json")
        self.running_conf = self.directory / "running.conf"
        self._conf_at_start = self.directory / conf.name  # `conf` may be edited while the stack is up
        self._access_log = self.directory / ACCESS_LOG
        self._locust: ProcessId | None = None

    @property
    def url(self) -> str:
        """The balancer's address."""
        return url_of(balancer(NginxConf.read(self.conf), self.port_offset))

    @property
    def target(self) -> str:
        """The balancer's address for Locust: the same, because Locust is a process of this machine too."""
        return self.url

    def services(self) -> list[Service]:
        """The backends and nginx, in the order in which they start."""
        conf = NginxConf.read(self.conf)
        nginx = nginx_service(balancer(conf, self.port_offset), self.directory, self.running_conf)
        return [*map(backend_service, backends(conf, self.port_offset)), nginx]

    def log(self, service: str) -> Path:
        """The path of a service's log."""
        return self.directory / f"{service}.log"

    def processes(self) -> list[ProcessId]:
        """The supervisor and the services that were started; empty when the stack was not."""
        return self.state.read().processes

    def locked(self) -> AbstractContextManager[object]:
        """Keep other commands from using the stack. Raises `UsageError` when another command uses it now."""
        return locked(self.directory, self.name)

    def is_up(self) -> bool:
        """Whether the stack became healthy and every process of it still runs."""
        state = self.state.read()
        return state.ready and all(process.process for process in state.processes)

    def start(self) -> bool:
        """Start the stack, to stay up, unless it is up. Returns whether it was started.

        Raises `UsageError` when a port is taken or a service does not become healthy; then nothing is left running.
        """
        if self.is_up():
            return False
        supervisor = self._started("detached")
        assert supervisor.stdin is not None
        supervisor.stdin.close()  # a detached supervisor does not read it
        return True

    def _started(self, mode: Literal["attached", "detached"]) -> subprocess.Popen[str]:
        """Start the supervisor. An attached one stops the stack when this process ends, however that happens."""
        self.stop()
        services = self.services()
        require_free({service.name: service.address.port for service in services})
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        arguments = (str(self.directory.parent), str(self.conf), str(self.port_offset), mode)
        command = [sys.executable, "-m", *self.supervisor_module(), *arguments]
        try:
            return start_supervisor(command, self.log(SUPERVISOR), HEALTHY_WITHIN_S * (len(services) + 1))
        except BaseException:
            self.stop()
            raise

    def supervisor_module(self) -> tuple[str, ...]:
        """The module that owns the processes, and its first arguments."""
        return ("scenarios.stacks.local.supervisor",)

    def stop(self) -> list[str]:
        """Stop all processes, orphans of a killed supervisor included. Returns the names of those that it stopped."""
        # the supervisor first: it stops the others itself, if it still can
        stopped = [known.name for known in self.processes() if known.stop()]
        self.state.remove()
        return stopped

    @contextmanager
    def up(self) -> Iterator[bool]:
        """Have the stack up while the body runs, and stop it afterwards if it was not up before.

        Yields whether the stack was started for the body.
        """
        if self.is_up():
            yield False
            return
        supervisor = self._started("attached")
        try:
            yield True
        finally:
            end_supervisor(supervisor)
            self.stop()  # for the case that the supervisor was killed

    def states(self) -> list[ServiceState]:
        """The state of every service."""
        processes = {process.name: process.process for process in self.processes()}
        return [
            ServiceState(service.name, f"{LOOPBACK}:{service.address.port}", _text(processes.get(service.name)))
            for service in self.services()
        ]

    def logs(self) -> Iterator[tuple[str, str]]:
        """The name and the last lines of every log. Raises `UsageError` when there are none."""
        paths = [self.log(service.name) for service in self.services()]
        if not any(path.exists() for path in paths):
            raise UsageError("there are no logs: the stack was not started yet")
        yield from ((str(path), "\n".join(tail(path))) for path in paths)

    def backends(self) -> dict[str, str]:
        """The URL of every backend."""
        return {address.name: url_of(address) for address in backends(NginxConf.read(self.conf), self.port_offset)}

    def balancer_state(self) -> BalancerState:
        """The balancer's workers and configuration. Raises `UsageError` when the balancer is gone."""
        nginx = next((known.process for known in self.processes() if known.name == BALANCER), None)
        if nginx is None:
            raise UsageError("nginx has ended")
        try:
            workers = sorted(worker.pid for worker in nginx.children())
        except psutil.NoSuchProcess:
            raise UsageError("nginx has ended") from None
        return BalancerState(workers=workers, configuration=hashlib.sha256(self.running_conf.read_bytes()).hexdigest())

    def balancer_conf(self) -> str:
        """The text of the configuration as it was when the stack started, with its own addresses and paths."""
        return self._conf_at_start.read_text(encoding="utf-8")

    def write_conf(self) -> None:
        """Keep the configuration as it is now, and write the one that nginx serves on this machine."""
        shutil.copyfile(self.conf, self._conf_at_start)
        self.running_conf.write_text(local_text(self.conf, self.port_offset, self.directory), encoding="utf-8")

    def record(self) -> StackRecord:
        """The services. Nothing limits them here."""
        services = {service.name: Limits() for service in self.services()}
        return StackRecord(name=self.name, enforces=False, services=services, versions=versions())

    def meter(self) -> LocalMeter:
        """A meter of the services' processes, and of Locust's once it has started."""

        def running() -> list[ProcessId]:
            services = [process for process in self.processes() if process.name != SUPERVISOR]
            return services if self._locust is None else [*services, self._locust]

        return LocalMeter(running)

    def fault_actions(self) -> LocalFaultActions:
        """The faults that can be applied to it."""
        return LocalFaultActions(self, self.processes)

    def require_open_files(self, users: int) -> None:
        """Raise the limit of open files as far as it goes. Raises `UsageError` when that is not enough."""
        open_files.allow(users)

    def wait_for_health_checks(self) -> None:
        """Return at once: only the supervisor asks for the health of a service, and only when it starts one."""

    def require_log_space(self, requests: int) -> None:
        """Return at once: the logs are ordinary files."""

    def access_log_bytes(self) -> int:
        """The length of the balancer's log of requests, in bytes."""
        return self._access_log.stat().st_size

    def access_log(self, start: int) -> Iterator[bytes]:
        """The balancer's log of requests from byte `start` on, part by part."""
        with self._access_log.open("rb") as log:
            log.seek(start)
            yield from iter(lambda: log.read(READ_AT_ONCE_BYTES), b"")

    def path_for_locust(self, path: Path, reports: Path) -> str:  # noqa: ARG002 - Locust is a process of this machine
        """The path itself."""
        return str(path)

    def start_locust(
        self,
        arguments: list[str],
        reports: Path,  # noqa: ARG002
        site: WebAddress | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start Locust, in a session of its own: the runner passes Ctrl-C on to it, once."""
        served = ["--web-host", site.host, "--web-port", str(site.port)] if site else []
        process = subprocess.Popen(
            [sys.executable, "-m", "locust", *served, *arguments],
            cwd=PROJECT,
            stdin=subprocess.PIPE if site else subprocess.DEVNULL,
            stdout=subprocess.PIPE if site else None,
            start_new_session=True,
        )
        self._locust = ProcessId.of("locust", process.pid)
        return process

    def signal_locust(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """Send a signal to Locust."""
        process.send_signal(number)


def _text(process: psutil.Process | None) -> str:
    return f"up {time.time() - process.create_time():,.0f} s, process {process.pid}" if process else "not running"
