"""nginx's one configuration, moved to this machine: same balancer, other addresses and paths."""

import grp
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from scenarios.nginx_conf import Directive, NginxConf
from scenarios.stacks.ports import LOOPBACK

ACCESS_LOG = "access.csv"


@dataclass(frozen=True)
class Address:
    """A name and the port it answers on, on 127.0.0.1."""

    name: str
    port: int


def balancer(conf: NginxConf, port_offset: int) -> Address:
    """Where the balancer listens."""
    port = int(next(conf.find("listen"))["args"][0])
    return Address("nginx", port + port_offset)


def backends(conf: NginxConf, port_offset: int) -> list[Address]:
    """The replicas that the configuration names, in its order."""
    addresses = (line["args"][0].partition(":") for line in conf.servers())
    return [Address(name, int(port) + port_offset) for name, _, port in addresses]


def local_text(path: Path, port_offset: int, directory: Path) -> str:
    """The configuration in `path` for nginx on this machine, with everything that it writes under `directory`."""
    conf = NginxConf.read(path)
    ports = iter(backends(conf, port_offset))
    for line in conf.servers():
        line["args"][0] = f"{LOOPBACK}:{next(ports).port}"
    listen = next(conf.find("listen"))
    listen["args"][0] = f"{LOOPBACK}:{balancer(conf, port_offset).port}"
    for line in conf.find("pid", "error_log", "access_log", "client_body_temp_path", "proxy_temp_path"):
        if line["args"][0] != "off":
            line["args"][0] = str(directory / Path(line["args"][0]).name)
    if os.geteuid() == 0:  # workers would become `nobody`, who may not enter a directory of root's
        conf.directives.insert(0, _user())
    return conf.text()


def _user() -> Directive:
    return {"directive": "user", "args": [pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name]}
