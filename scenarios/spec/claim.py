"""The claim under test: how many requests of every cycle each backend gets."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from scenarios.spec.balancer import Configuration
from scenarios.spec.errors import UsageError
from scenarios.spec.nginx.balancer import NGINX
from scenarios.spec.stage import RESERVED

PAIR = r"\s*[A-Za-z0-9._-]+\s*=\s*[0-9]+\s*"


class Claim(BaseModel):
    """Weights by HOST_TAG, in the order of the configuration.

    `cycles` is the number of balancing states that run side by side. `source` says where the claim comes from.
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
        """A claim from `back-01=1,back-02=2`, or from the balancer's configuration at this path.

        Raises `UsageError` when it is neither, or claims nothing that could be tested.
        """
        is_a_path = Path(text).exists() or "=" not in text
        return cls.of_configuration(Path(text)) if is_a_path else cls.of_weights(text)

    @classmethod
    def of_weights(cls, text: str) -> Self:
        """A claim from `back-01=1,back-02=2`. Raises `UsageError` when it is not of that form."""
        if not re.fullmatch(f"{PAIR}(,{PAIR})*", text):
            raise UsageError(f"claim {text!r} is not of the form back-01=1,back-02=2 with whole weights above zero")
        pairs = (pair.split("=") for pair in text.split(","))
        return cls(weights=_weights(((tag.strip(), int(weight)) for tag, weight in pairs), text), source="--claim")

    @classmethod
    def of_configuration(cls, path: Path) -> Self:
        """The claim of a balancer's configuration. Raises `UsageError` with the line that makes none."""
        conf = NGINX.configuration(path)
        conf.require_round_robin()
        return cls.of_turns(conf)

    @classmethod
    def of_turns(cls, conf: Configuration) -> Self:
        """The weights of a configuration with any method. They are a claim only if the method is round-robin."""
        weights = _weights(conf.turns(), str(conf.source))
        return cls(weights=weights, cycles=conf.cycles(), source=conf.source.name)


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
