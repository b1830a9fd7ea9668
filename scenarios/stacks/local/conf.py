"""nginx's one configuration for this machine: the same balancing, with other addresses and paths."""

import grp
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from scenarios.spec.nginx.conf import Directive, NginxConf
from scenarios.stacks.ports import LOOPBACK

PATHS = (
    "pid",
    "error_log",
    "access_log",
    "client_body_temp_path",
    "proxy_temp_path",
    "fastcgi_temp_path",
    "scgi_temp_path",
    "uwsgi_temp_path",
)
NO_PATHS = ("off", "stderr")


@dataclass(frozen=True)
class Address:
    """A service's name, and its port on 127.0.0.1."""

    name: str
    port: int


def balancer(conf: NginxConf, port_offset: int) -> Address:
    """The address at which the balancer listens."""
    _, port = conf.listen()
    return Address("nginx", port + port_offset)


def backends(conf: NginxConf, port_offset: int) -> list[Address]:
    """The replicas that the configuration names, in its order."""
    return [Address(server.host, server.port + port_offset) for server in conf.servers()]


def local_text(path: Path, port_offset: int, directory: Path) -> str:
    """The text of the configuration in `path` for nginx on this machine, which then writes only under `directory`.

    It needs no resolver: every address is one of this machine, and stays the same.
    """
    conf = NginxConf.read(path)
    conf.remove("resolver")
    for server in conf.servers():
        _, *parameters = server.directive["args"]
        address = f"{LOOPBACK}:{server.port + port_offset}"
        server.directive["args"] = [address, *(parameter for parameter in parameters if parameter != "resolve")]
    line, port = conf.listen()
    line["args"][0] = f"{LOOPBACK}:{port + port_offset}"
    for line in conf.find(*PATHS):
        if line["args"][0] not in NO_PATHS:
            line["args"][0] = str(directory / Path(line["args"][0]).name)
    if os.geteuid() == 0:  # else workers run as the user `nobody`, which may not enter a directory of root's
        conf.directives.insert(0, _user())
    return conf.text()


def _user() -> Directive:
    user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    return {"directive": "user", "args": [user, group], "line": 0}
