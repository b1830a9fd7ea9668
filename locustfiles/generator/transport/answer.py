"""An HTTP response, while it arrives and afterwards."""

from http import HTTPStatus

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from locustfiles.generator.transport.faults import AnswerFault

BODY_LENGTH = {b"content-length", b"transfer-encoding"}


class Answer:
    """Parses the response to one request. The parser calls the `on_` methods."""

    def __init__(self, *, has_body: bool = True) -> None:
        self._has_body = has_body  # the answer to HEAD has none, whatever its headers say
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._ends_with_connection = False
        self.status_code = 0
        self.is_whole = False
        self.keeps_alive = False  # whether the connection may be used again

    def feed(self, data: bytes) -> None:
        """Take received bytes; no bytes mean that the target closed the connection.

        Raises `AnswerFault` when they are no answer, when they are more than one, and when the connection was closed
        within the answer.
        """
        if data:
            assert self._parser is not None
            try:
                self._parser.feed_data(data)
            except (HttpParserError, HttpParserUpgrade) as error:
                raise AnswerFault(f"not HTTP: {error.__context__ or error}") from error
        elif self._ends_with_connection:
            self.is_whole = True
        else:
            raise AnswerFault("closed within the answer" if self._headers else "closed before an answer")
        if self.is_whole:
            self._parser = None  # it refers to this answer: both would stay until the garbage collector runs

    @property
    def headers(self) -> dict[str, str]:
        """The headers by name in small letters."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self._headers.items()}

    def header(self, name: bytes) -> str:
        """The value of the header with this name in small letters; empty when there is none."""
        return self._headers.get(name, b"").decode("latin-1")

    @property
    def content(self) -> bytes:
        """The body."""
        return b"".join(self._body)

    def on_message_begin(self) -> None:
        """Begin an answer. An interim answer (1xx) may have come before it."""
        if self.is_whole:
            raise AnswerFault("more than one answer to a request")
        self._headers.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. The values of a header that comes again are joined."""
        name = name.lower()
        self._headers[name] = value if name not in self._headers else b"%b, %b" % (self._headers[name], value)

    def on_headers_complete(self) -> None:
        """Note the status, and whether the end of the body is the end of the connection."""
        assert self._parser is not None
        self.status_code = self._parser.get_status_code()
        self._ends_with_connection = not self._headers.keys() & BODY_LENGTH
        if not self._has_body:
            self.on_message_complete()

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._body.append(part)

    def on_message_complete(self) -> None:
        """End the answer, unless it is an interim one."""
        assert self._parser is not None
        self.is_whole = self.status_code >= HTTPStatus.OK
        self.keeps_alive = self._parser.should_keep_alive()
