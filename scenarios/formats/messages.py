"""The messages between Locust with its web interface and the process that started it, its parent: a line of JSON each.

The parent records what balancer and backends say of a run, and judges the run. Locust asks it before a run begins and
tells it when the run has ended; both can happen many times.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter


class Welcome(BaseModel):
    """The parent's first message. With a password, the web interface asks for it."""

    kind: Literal["welcome"] = "welcome"
    password: str | None = None


class Listening(BaseModel):
    """Locust's first message: the web interface can be opened."""

    kind: Literal["listening"] = "listening"


class RunRequested(BaseModel):
    """Locust asks for a run of this scenario to begin, with another size where one is given."""

    kind: Literal["asked"] = "asked"
    scenario: str
    requests: int | None = None
    users: int | None = None


class RunAllowed(BaseModel):
    """The run may begin. Both paths are those that Locust sees."""

    kind: Literal["allowed"] = "allowed"
    directory: str
    claim: str


class RunRefused(BaseModel):
    """The run may not begin, for this reason."""

    kind: Literal["refused"] = "refused"
    reason: str


class RunEnded(BaseModel):
    """The run that was allowed has ended, or has never begun."""

    kind: Literal["ended"] = "ended"


class RunJudged(BaseModel):
    """The run that has ended was judged; or `fault` says why it could not be."""

    kind: Literal["judged"] = "judged"
    fault: str | None = None


Message = Welcome | Listening | RunRequested | RunAllowed | RunRefused | RunEnded | RunJudged

_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def encoded(message: Message) -> bytes:
    """The line for a message."""
    return message.model_dump_json().encode() + b"\n"


def decoded(line: bytes) -> Message:
    """The message in a line. Raises `ValueError` when it is none."""
    return _MESSAGES.validate_json(line)
