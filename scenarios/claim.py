"""The claim under test: which backend is to get how many of every round of requests."""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from scenarios.errors import UsageError
from scenarios.nginx_conf import NginxConf


class Claim(BaseModel):
    """Weights by HOST_TAG, in the order of the configuration.

    `cycles` is the number of balancing states that run side by side: 1 when the upstream has a `zone`, else one per
    nginx worker process. `source` says where the claim was read.
    """

    model_config = ConfigDict(frozen=True)

    weights: dict[str, int]
    cycles: int = 1
    source: str

    @classmethod
    def of_nginx(cls, path: Path) -> Self:
        """What an nginx configuration promises. Raises `UsageError` when it has not exactly one upstream."""
        conf = NginxConf.read(path)
        live = [server["args"] for server in conf.servers() if not {"down", "backup"} & set(server["args"])]
        _require_distinct([address.partition(":")[0] for address, *_ in live], path)
        weights = {address.partition(":")[0]: _weight(options) for address, *options in live}
        cycles = 1 if any(conf.find("zone")) else _worker_processes(conf)
        return cls(weights=weights, cycles=cycles, source=path.name)

    @classmethod
    def of_text(cls, text: str) -> Self:
        """The claim written as `back-01=1,back-02=2`. Raises `UsageError` when it is written otherwise."""
        pairs = [pair.partition("=") for pair in text.split(",")]
        if not all(tag and weight.isdecimal() and int(weight) > 0 for tag, _, weight in pairs):
            raise UsageError(f"claim {text!r} is not of the form back-01=1,back-02=2 with whole weights above zero")
        return cls(weights={tag: int(weight) for tag, _, weight in pairs}, source="--claim")

    @classmethod
    def of(cls, text: str) -> Self:
        """A claim from `tag=weight,...`, or from the nginx configuration at this path."""
        return cls.of_text(text) if "=" in text else cls.of_nginx(Path(text))


def _require_distinct(hosts: list[str], path: Path) -> None:
    repeated = sorted({host for host in hosts if hosts.count(host) > 1})
    if repeated:
        raise UsageError(
            f"{path}: {', '.join(repeated)} stands in several server lines: backends are told apart by their host "
            "name, which must be their HOST_TAG"
        )


def _weight(options: list[str]) -> int:
    return next((int(option.removeprefix("weight=")) for option in options if option.startswith("weight=")), 1)


def _worker_processes(conf: NginxConf) -> int:
    count = next((line["args"][0] for line in conf.find("worker_processes")), "1")
    return (os.cpu_count() or 1) if count == "auto" else int(count)
