"""What is asked of the system under test, and how a right answer looks. The built-in target is the service in backend/.

A `[target]` table in a scenario replaces any part of it.
"""

import json
import re
from email.message import Message
from http import HTTPStatus
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from scenarios.spec.errors import UsageError
from scenarios.spec.strict import Definition

REQUEST_ID = "X-Request-Id"  # by which the ledgers know a request; nginx.conf and backend/ read it, too
OF_THE_GENERATOR = {"host", "content-length", "transfer-encoding", REQUEST_ID.lower()}
BODILESS = {"GET", "HEAD", "TRACE"}  # RFC 9110, 9.3: a body in them means nothing, and servers may refuse it
IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}  # RFC 9110, 9.2.2: twice does the same as once
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
MODEL = {
    "name": "Starship Enterprise",
    "pieces": 1599,
    "theme": "Sci-Fi",
    "difficulty": "easy",
    "price_us": 199.99,
    "year": 2001,
}


def _token(text: str) -> str:
    if not TOKEN.fullmatch(text):
        raise ValueError(f"{text!r} is no token: it takes letters, digits and dashes, and no space")
    return text


def _method(text: str) -> str:
    if text == "CONNECT":
        raise ValueError("CONNECT asks for a tunnel and not for an answer")
    return _token(text)


def _path(text: str) -> str:
    if not re.fullmatch(r"/[!\"$-~]*", text):
        raise ValueError(f"{text!r} is no path: it begins with / and has no space, no # and ASCII only")
    return text


def _header_value(text: str) -> str:
    if not re.fullmatch(r"[\t -~]*", text):
        raise ValueError(f"{text!r} is no value of a header: it has no line break and ASCII only")
    return text


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = (parts.hostname or "").encode("idna"), parts.port
    except ValueError:
        host = b""
    if not host or parts.scheme not in ("http", "https") or parts.query or not re.fullmatch("[!-~]+", text):
        raise ValueError(f"{text!r} is no address of the form http://host:port")
    return text


HeaderName = Annotated[str, AfterValidator(_token)]
HeaderValue = Annotated[str, AfterValidator(_header_value)]
Status = Annotated[int, Field(ge=200, le=599)]  # 1xx only announce an answer


class AnsweredBy(Definition):
    """How an answer names the backend that gave it: by a header of this name."""

    header: HeaderName = "X-Host-Tag"

    @property
    def key(self) -> bytes:
        """The header's name in small letters, as the generator's client keeps it."""
        return self.header.lower().encode()

    def of(self, headers: Message) -> str:
        """The backend that an answer with these headers names; empty when it names none."""
        return str(headers.get(self.header, ""))


class Target(Definition):
    """A request, and how a right answer to it looks. Without a `url` it goes to the stack or to Locust's `--host`."""

    url: Annotated[str, AfterValidator(_url)] | None = None
    method: Annotated[str, AfterValidator(_method)] = "POST"
    path: Annotated[str, AfterValidator(_path)] = "/models"
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=lambda: {"Content-Type": "application/json"})
    body: str = json.dumps(MODEL)  # sent as UTF-8
    expected_statuses: Annotated[tuple[Status, ...], Field(min_length=1, strict=False)] = (HTTPStatus.CREATED.value,)
    identity: AnsweredBy = AnsweredBy()

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        if self.body and self.method in BODILESS:
            raise ValueError(f'a {self.method} has no body: give body = ""')
        names = [name.lower() for name in self.headers]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"headers: {', '.join(twice)} stands there twice")
        if own := sorted(OF_THE_GENERATOR & set(names)):
            raise ValueError(f"headers: {', '.join(own)}: leave it out, the generator sends its own")
        return self

    def at(self, url: str) -> Self:
        """The same target at this address, unless it has one of its own. Raises `UsageError` when that is none."""
        try:
            return self if self.url is not None else self.model_copy(update={"url": _url(url)})
        except ValueError as error:
            raise UsageError(str(error)) from error

    @property
    def text(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    @property
    def may_be_repeated(self) -> bool:
        """Whether a balancer may send the request to a second backend after a first may have had it."""
        return self.method in IDEMPOTENT

    @property
    def statuses_text(self) -> str:
        """The expected statuses, as one says them."""
        return " or ".join(map(str, self.expected_statuses))

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        return self.body.encode()

    @property
    def content_headers(self) -> dict[str, str]:
        """The headers to send: without a body none that describe one."""
        of_a_body = () if self.body else ("content-",)
        return {name: text for name, text in self.headers.items() if not name.lower().startswith(of_a_body)}

    @property
    def header_lines(self) -> tuple[str, ...]:
        """The headers as the lines of a request, its length included. A GET without a body has none."""
        length = () if self.method in BODILESS else (f"Content-Length: {len(self.content)}",)
        return (*(f"{name}: {text}" for name, text in self.content_headers.items()), *length)
