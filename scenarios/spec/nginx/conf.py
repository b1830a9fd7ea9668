"""An nginx configuration as a tree that can be searched, changed and written again (parsed by crossplane)."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import NoReturn, NotRequired, Self, TypedDict

import crossplane

from scenarios.spec.balancer import Algorithm
from scenarios.spec.errors import UsageError
from scenarios.spec.nginx.log import FORMAT, variables
from scenarios.spec.patience import Patience
from scenarios.spec.target import AnsweredBy

DEFAULT_PORT = 80
UNITS_S = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
OTHER_METHODS = ("hash", "ip_hash", "least_conn", "least_time", "random")
ADDRESSES = {"$remote_addr", "$binary_remote_addr"}
ALGORITHMS = {"least_conn": Algorithm.LEAST_CONNECTIONS, "ip_hash": Algorithm.ADDRESS_HASH, "random": Algorithm.RANDOM}


class Directive(TypedDict):
    """One directive: its name, its arguments, where it stands, and, for a block, what is inside."""

    directive: str
    args: list[str]
    line: int
    block: NotRequired[list["Directive"]]


@dataclass(frozen=True)
class Server:
    """One `server` line of an upstream. `takes_turns` is false for those that are down or only a backup."""

    host: str
    port: int
    weight: int
    takes_turns: bool
    directive: Directive


class NginxConf:
    """A parsed configuration with one upstream. Change the directives in place; `text()` writes what they then say.

    Everything that reads a value raises `UsageError` naming the file and the line that it cannot make sense of.
    """

    def __init__(self, directives: list[Directive], source: Path) -> None:
        self.directives = directives
        self.source = source

    @classmethod
    def read(cls, path: Path) -> Self:
        """Parse a file and what it includes."""
        parsed = crossplane.parse(str(path), combine=True)
        if parsed["status"] != "ok":
            reasons = "; ".join(error["error"] for error in parsed["errors"])
            raise UsageError(f"{path}: is no nginx configuration: {reasons}")
        return cls(parsed["config"][0]["parsed"], path)

    def find(self, *names: str) -> Iterator[Directive]:
        """Every directive with one of these names, at any depth, in the order of the file."""
        return _find(self.directives, names)

    def remove(self, name: str) -> None:
        """Take every directive of this name out, at any depth."""
        _remove(self.directives, name)

    def servers(self) -> list[Server]:
        """The servers of the upstream, which must be the only one, whatever method it balances by."""
        return [self._server(line) for line in self._upstream() if line["directive"] == "server"]

    def turns(self) -> list[tuple[str, int]]:
        """The name and the weight of each server that takes turns, in the order of the file."""
        return [(server.host, server.weight) for server in self.servers() if server.takes_turns]

    def cycles(self) -> int:
        """How many balancing states there are: one when the upstream has a `zone`, else one per worker process."""
        return 1 if any(self.find("zone")) else self.worker_processes()

    def algorithms(self) -> tuple[Algorithm, ...]:
        """What the upstream does; several algorithms when they come to the same, none when it is none of ours."""
        line = self._method()
        if line is None and self.worker_processes() == 1:
            return Algorithm.SHARED, Algorithm.PER_WORKER
        if line is None:
            return (Algorithm.SHARED if self.cycles() == 1 else Algorithm.PER_WORKER,)
        name, arguments = line["directive"], line["args"]
        if name == "hash" and set(arguments[:1]) <= ADDRESSES:
            return (Algorithm.ADDRESS_HASH,)
        return (ALGORITHMS[name],) if name in ALGORITHMS and not arguments else ()

    def require_round_robin(self) -> None:
        """Raise `UsageError` when the upstream balances by another method."""
        line = self._method()
        if line is not None:
            self._refuse(line, "only weighted round-robin, the default method, makes an exact claim")

    def require_ledger(self, identity: AnsweredBy) -> None:
        """Raise `UsageError` when `log_format ledger` is not what `balancer.csv` holds, the backend's tag included."""
        line = next((each for each in self.find("log_format") if each["args"][0] == FORMAT), None)
        if line is None:
            raise UsageError(f"{self.source}: keeps no log of requests: `log_format {FORMAT}` is missing")
        logged = re.findall(r'"\$(\w+)"', "".join(line["args"]))
        for variable, found in zip_longest(variables(identity).values(), logged, fillvalue="nothing"):
            if found != variable:
                where = f"{self.source}:{line['line']}: `log_format {FORMAT}`"
                raise UsageError(f"{where}: has {found} where balancer.csv has {variable}")

    def listen(self) -> tuple[Directive, int]:
        """The first `listen` line and its port."""
        line = next(self.find("listen"), None)
        if line is None:
            raise UsageError(f"{self.source}: listens nowhere: a `listen` line is missing")
        port = re.fullmatch(r"(?:.*:)?(\d+)", line["args"][0])
        return (line, int(port[1])) if port else self._refuse(line, "the port is missing")

    def worker_processes(self) -> int:
        """How many workers share the work."""
        line = next(self.find("worker_processes"), None)
        if line is None:
            return 1
        if line["args"] == ["auto"]:
            return os.cpu_count() or 1
        return int(line["args"][0]) if line["args"][0].isdecimal() else self._refuse(line, "no whole number")

    def patience(self) -> Patience:
        """How long it waits for a backend; nginx's own defaults where it does not say. Of several servers, the most."""
        servers = [server.directive for server in self.servers()]
        return Patience(
            max_fails=max(int(_option(line, "max_fails", "1")) for line in servers),
            fail_timeout_s=max(self._seconds(line, _option(line, "fail_timeout", "10s")) for line in servers),
            connect_timeout_s=self._time("proxy_connect_timeout", 60.0),
            read_timeout_s=self._time("proxy_read_timeout", 60.0),
        )

    def text(self) -> str:
        """The configuration in nginx's own syntax."""
        return str(crossplane.build(self.directives)) + "\n"

    def _time(self, name: str, default_s: float) -> float:
        line = next(self.find(name), None)
        return default_s if line is None else self._seconds(line, line["args"][0])

    def _seconds(self, line: Directive, text: str) -> float:
        time = re.fullmatch(r"(\d+)(ms|s|m|h|)", text)
        return int(time[1]) * UNITS_S[time[2]] if time else self._refuse(line, f"{text} is no time")

    def _method(self) -> Directive | None:
        """The line that gives the upstream another method than weighted round-robin, the default."""
        return next((line for line in self._upstream() if line["directive"] in OTHER_METHODS), None)

    def _upstream(self) -> list[Directive]:
        upstreams = list(self.find("upstream"))
        if len(upstreams) != 1:
            raise UsageError(f"{self.source}: has {len(upstreams)} upstream blocks; a claim needs exactly one")
        return upstreams[0].get("block", [])

    def _server(self, line: Directive) -> Server:
        address, *options = line["args"]
        parts = re.fullmatch(r"([A-Za-z0-9._-]+)(?::(\d+))?", address)
        weight = next((option[7:] for option in options if option.startswith("weight=")), "1")
        if parts is None:
            self._refuse(line, "backends are told apart by their host name: write host:port")
        if not weight.isdecimal() or int(weight) == 0:
            self._refuse(line, "the weight is no whole number above zero")
        takes_turns = not {"down", "backup"} & set(options)
        return Server(parts[1], int(parts[2] or DEFAULT_PORT), int(weight), takes_turns, line)

    def _refuse(self, line: Directive, reason: str) -> NoReturn:
        said = " ".join([line["directive"], *line["args"]])
        raise UsageError(f"{self.source}:{line['line']}: `{said}`: {reason}")


def _option(line: Directive, name: str, default: str) -> str:
    return next((each.partition("=")[2] for each in line["args"] if each.startswith(f"{name}=")), default)


def _find(directives: list[Directive], names: tuple[str, ...]) -> Iterator[Directive]:
    for directive in directives:
        if directive["directive"] in names:
            yield directive
        yield from _find(directive.get("block", []), names)


def _remove(directives: list[Directive], name: str) -> None:
    directives[:] = [directive for directive in directives if directive["directive"] != name]
    for directive in directives:
        _remove(directive.get("block", []), name)
