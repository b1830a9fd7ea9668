"""The ledgers that the generator writes: one row per request, and its processes over time."""

import csv
from pathlib import Path
from typing import Any

from locustfiles.generator.transport.faults import GeneratorFault
from scenarios.formats.columns import header
from scenarios.formats.rows import OWN_FAULT, GeneratorSample, Response


def response_of(
    *, start_time: float, response_time: float, response: Any, context: dict[str, Any], exception: Any, **_: Any
) -> Response:
    """The row of one `request` event: `start_time` in seconds since the epoch, `response_time` in ms."""
    permit = context["permit"]
    return Response(  # by position, which takes half the time
        round(start_time * 1e6),
        round(response_time * 1e3),
        round(context["connect_s"] * 1e6),
        round(context["late_s"] * 1e6),
        context["tag"],
        response.status_code if response is not None else 0,
        permit.stage,
        permit.request_id,
        _error(exception) if exception is not None else "",
    )


def _error(exception: Exception) -> str:
    kind = OWN_FAULT if isinstance(exception, GeneratorFault) else type(exception).__name__
    return f"{kind}: {exception}"


class _Log:
    """A CSV file that grows row by row; `header` names its columns. Nothing that exists is overwritten."""

    def __init__(self, path: Path, header: tuple[str, ...]) -> None:
        self._file = path.open("x", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(header)

    def write(self, rows: list[Any]) -> None:
        """Append rows, for everybody to see."""
        self._writer.writerows(rows)
        self._file.flush()

    def close(self) -> None:
        """Flush to the file and close it."""
        self._file.close()


class ResponseLog(_Log):
    """Writes what became of every request, as it comes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, header(Response))


class GeneratorLog(_Log):
    """Writes what the processes say about themselves."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, header(GeneratorSample))
