"""What Locust with its web interface and the process that started it say to each other: a line of JSON each.

That process, the attendant, keeps what balancer and backends have to say of a run, and judges it. Locust asks it
before a run begins and tells it when the run has ended; both may come many times.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter


class Welcome(BaseModel):
    """The attendant's first word. With a password, the web interface is for those who know it."""

    kind: Literal["welcome"] = "welcome"
    password: str | None = None


class Listening(BaseModel):
    """Locust's first word: the web interface can be opened."""

    kind: Literal["listening"] = "listening"


class Asked(BaseModel):
    """Somebody wants a run of this scenario to begin, with another size where one is given."""

    kind: Literal["asked"] = "asked"
    scenario: str
    requests: int | None = None
    users: int | None = None


class Allowed(BaseModel):
    """It may begin. Both paths are as Locust sees them."""

    kind: Literal["allowed"] = "allowed"
    directory: str
    claim: str


class Refused(BaseModel):
    """It may not, for this reason."""

    kind: Literal["refused"] = "refused"
    reason: str


class Ended(BaseModel):
    """The run that was allowed is over, or never began."""

    kind: Literal["ended"] = "ended"


class Judged(BaseModel):
    """The run that has ended was judged, or could not be: why not."""

    kind: Literal["judged"] = "judged"
    fault: str | None = None


Word = Welcome | Listening | Asked | Allowed | Refused | Ended | Judged

_WORDS: TypeAdapter[Word] = TypeAdapter(Annotated[Word, Field(discriminator="kind")])


def spoken(word: Word) -> bytes:
    """The line that says it."""
    return word.model_dump_json().encode() + b"\n"


def heard(line: bytes) -> Word:
    """What a line says. Raises `ValueError` when it is none of the words."""
    return _WORDS.validate_json(line)
