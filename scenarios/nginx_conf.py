"""An nginx configuration as a tree that can be searched, changed and written again (parsed by crossplane)."""

from collections.abc import Iterator
from pathlib import Path
from typing import NotRequired, Self, TypedDict

import crossplane

from scenarios.errors import UsageError


class Directive(TypedDict):
    """One directive: its name, its arguments, and, for a block, what is inside."""

    directive: str
    args: list[str]
    block: NotRequired[list["Directive"]]


class NginxConf:
    """A parsed configuration. Change the directives in place; `text()` writes what they then say."""

    def __init__(self, directives: list[Directive], source: Path) -> None:
        self.directives = directives
        self.source = source

    @classmethod
    def read(cls, path: Path) -> Self:
        """Parse a file and what it includes. Raises `UsageError` naming the file and line that cannot be parsed."""
        parsed = crossplane.parse(str(path), combine=True)
        if parsed["status"] != "ok":
            reasons = "; ".join(error["error"] for error in parsed["errors"])
            raise UsageError(f"{path}: is no nginx configuration: {reasons}")
        return cls(parsed["config"][0]["parsed"], path)

    def find(self, *names: str) -> Iterator[Directive]:
        """Every directive with one of these names, at any depth, in the order of the file."""
        return _find(self.directives, names)

    def servers(self) -> list[Directive]:
        """The `server` lines of the one upstream. Raises `UsageError` when there is not exactly one upstream."""
        upstreams = list(self.find("upstream"))
        if len(upstreams) != 1:
            raise UsageError(f"{self.source}: has {len(upstreams)} upstream blocks; a claim needs exactly one")
        return [line for line in upstreams[0].get("block", []) if line["directive"] == "server"]

    def text(self) -> str:
        """The configuration in nginx's own syntax."""
        return str(crossplane.build(self.directives)) + "\n"


def _find(directives: list[Directive], names: tuple[str, ...]) -> Iterator[Directive]:
    for directive in directives:
        if directive["directive"] in names:
            yield directive
        yield from _find(directive.get("block", []), names)
