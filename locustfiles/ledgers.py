"""The ledgers that the generator writes: one row per request, and its users over time."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

from scenarios.ledgers import Response, Users

HOST_TAG = "X-Host-Tag"


def response_of(
    *, start_time: float, response_time: float, response: Any, context: dict[str, Any], exception: Any, **_: Any
) -> Response:
    """The row of one `request` event: `start_time` in seconds since the epoch, `response_time` in ms."""
    headers = getattr(response, "headers", None) or {}
    return Response(
        sent_us=round(start_time * 1e6),
        latency_us=round(response_time * 1e3),
        host_tag=headers.get(HOST_TAG) or "",
        status=getattr(response, "status_code", 0) or 0,
        stage=context["stage"],
        request_id=context["request_id"],
        error=f"{type(exception).__name__}: {exception}" if exception else "",
    )


class _Log:
    """A CSV file that grows row by row; `header` names its columns. Nothing that exists is overwritten."""

    def __init__(self, path: Path, header: tuple[str, ...]) -> None:
        self._file = path.open("x", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(header)

    def close(self) -> None:
        """Flush to the file and close it."""
        self._file.close()


class ResponseLog(_Log):
    """Writes a row per request as it comes, and keeps nothing but counts."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, Response._fields)
        self.by_host_tag: Counter[str] = Counter()
        self.rows = 0
        self.failed = 0

    def write(self, response: Response) -> None:
        """Append one row."""
        self._writer.writerow(response)
        self.rows += 1
        self.by_host_tag[response.host_tag] += 1
        self.failed += bool(response.error)


class GeneratorLog(_Log):
    """Writes a row each time the number of users or the stage is another."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, Users._fields)
        self._last: tuple[str, int] | None = None

    def write(self, users: Users) -> None:
        """Append a row, unless it says nothing new."""
        if (users.stage, users.users) != self._last:
            self._last = (users.stage, users.users)
            self._writer.writerow(users)
