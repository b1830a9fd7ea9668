"""The claim under test: how many requests of every cycle each backend gets."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from scenarios.spec.errors import UsageError
from scenarios.spec.nginx_conf import NginxConf
from scenarios.spec.stage import RESERVED

PAIR = r"\s*[A-Za-z0-9._-]+\s*=\s*[0-9]+\s*"


class Claim(BaseModel):
    """Weights by HOST_TAG, in the order of the configuration.

    `cycles` is the number of balancing states that run side by side: 1 when the upstream has a `zone`, else one per
    nginx worker process. `source` says where the claim comes from.
    """

    model_config = ConfigDict(frozen=True)

    weights: Annotated[dict[str, Annotated[int, Field(ge=1)]], Field(min_length=1)]
    cycles: Annotated[int, Field(ge=1)] = 1
    source: str

    @property
    def text(self) -> str:
        """The weights as `of_weights` reads them."""
        return ",".join(f"{tag}={weight}" for tag, weight in self.weights.items())

    @classmethod
    def of(cls, text: str) -> Self:
        """A claim from `back-01=1,back-02=2`, or from the nginx configuration at this path.

        Raises `UsageError` when it is neither, or claims nothing that could be tested.
        """
        is_a_path = Path(text).exists() or "=" not in text
        return cls.of_nginx(Path(text)) if is_a_path else cls.of_weights(text)

    @classmethod
    def of_weights(cls, text: str) -> Self:
        """A claim from `back-01=1,back-02=2`. Raises `UsageError` when it is not of that form."""
        if not re.fullmatch(f"{PAIR}(,{PAIR})*", text):
            raise UsageError(f"claim {text!r} is not of the form back-01=1,back-02=2 with whole weights above zero")
        pairs = (pair.split("=") for pair in text.split(","))
        return cls(weights=_weights(((tag.strip(), int(weight)) for tag, weight in pairs), text), source="--claim")

    @classmethod
    def of_nginx(cls, path: Path) -> Self:
        """The claim of an nginx configuration. Raises `UsageError` with the line that makes none."""
        conf = NginxConf.read(path)
        conf.require_round_robin()
        return cls.of_upstream(conf)

    @classmethod
    def of_upstream(cls, conf: NginxConf) -> Self:
        """The weights of an upstream with any method. They are a claim only if the method is round-robin."""
        turns = ((server.host, server.weight) for server in conf.servers() if server.takes_turns)
        cycles = 1 if any(conf.find("zone")) else conf.worker_processes()
        return cls(weights=_weights(turns, str(conf.source)), cycles=cycles, source=conf.source.name)


def _weights(pairs: Iterable[tuple[str, int]], source: str) -> dict[str, int]:
    weights: dict[str, int] = {}
    for tag, weight in pairs:
        if tag in weights:
            raise UsageError(f"{source}: {tag} stands there twice: backends are told apart by their name, the HOST_TAG")
        if tag == RESERVED:
            raise UsageError(f"{source}: {tag} means all backends together: give the backend another name")
        if weight == 0:
            raise UsageError(f"{source}: the weight of {tag} is zero: leave it out")
        weights[tag] = weight
    if not weights:
        raise UsageError(f"{source}: claims nothing: no server takes turns")
    return weights
