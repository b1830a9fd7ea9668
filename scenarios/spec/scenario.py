"""A scenario: how much load, in which stages, and what is expected of the answers. Read from a TOML file."""

import tomllib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from scenarios.spec.errors import UsageError
from scenarios.spec.fault import Fault, require_no_contradiction
from scenarios.spec.stage import Stage, budgets, require_sound_stages
from scenarios.spec.strict import Definition, Limit, Name
from scenarios.spec.target import Target

DIRECTORY = Path(__file__).parents[1]
MOST_REQUESTS, MOST_USERS = 100_000_000, 1_000_000  # that a user can ask for

Sentence = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Expect(Definition):
    """What is expected of the answers, beyond the split."""

    error_rate: Annotated[float, Field(ge=0, le=1, description="failed requests, as a share of all")] = 0.0
    p99_ms: dict[str, Limit] = Field(default_factory=dict, description="by stage")


class Generator(Definition):
    """What is expected of the generator, so that its measurements count."""

    loop_lag_p99_ms: Annotated[Limit, Field(description="how late its event loop may be")] = 500.0


class Scenario(Definition):
    """A named amount of load with the claim that it tests."""

    name: Name
    title: Sentence
    claim: Sentence
    requests: Annotated[int, Field(ge=1, description="the run sends exactly this many")]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, strict=False)]
    faults: Annotated[tuple[Fault, ...], Field(strict=False)] = ()
    target: Target = Target()
    expect: Expect = Expect()
    generator: Generator = Generator()

    @classmethod
    def load(cls, name: str) -> Self:
        """The scenario with this name. Raises `UsageError` when there is none, or when it breaks a rule."""
        files = _files()
        if name not in files:
            raise UsageError(f"no scenario {name!r}{_nearest(name, files)}; there are {', '.join(files)}")
        return cls.read(files[name])

    @classmethod
    def read(cls, path: Path) -> Self:
        """The scenario in a file; its name is the file's. Raises `UsageError` naming the file, the key and the rule."""
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UsageError(f"{path}: is not TOML: {error}") from error
        if "name" in document:
            raise UsageError(f"{path}: name: leave it out, a scenario is named after its file")
        return cls._checked({"name": path.stem} | document, source=str(path))

    @property
    def peak_users(self) -> int:
        """The most users at any time."""
        return max(stage.users for stage in self.stages)

    def scaled(self, requests: int | None = None, users: int | None = None) -> Self:
        """The same scenario with another number of requests or of users at its peak, every stage in proportion.

        Raises `UsageError` when the result breaks a rule, for example fewer requests than users.
        """
        for quantity, number in (("requests", requests), ("users", users)):
            if number is not None and number < 1:
                raise UsageError(f"{self.name}: {number} {quantity} are none: ask for 1 or more")
        more_requests = 1.0 if requests is None else requests / self.requests
        more_users = 1.0 if users is None else users / self.peak_users
        document = self.model_dump(exclude_none=True)
        document["requests"] = self.requests if requests is None else requests
        for stage in document["stages"]:
            stage["users"] = max(1, round(stage["users"] * more_users))
            stage["spawn_rate"] *= more_users
            if "until_requests" in stage:
                stage["until_requests"] = round(stage["until_requests"] * more_requests)
            if "requests_per_s" in stage:
                stage["requests_per_s"] *= more_users
        for fault in document["faults"]:
            if "after_requests" in fault:
                fault["after_requests"] = max(1, round(fault["after_requests"] * more_requests))
        return self._checked(document, source=f"{self.name} scaled to requests={requests}, users={users}")

    @classmethod
    def _checked(cls, document: dict[str, Any], source: str) -> Self:
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise UsageError(f"{source}: " + "; ".join(_sentences(error))) from error

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        require_sound_stages(self.stages, self.requests)
        unknown = sorted(self.expect.p99_ms.keys() - {stage.name for stage in self.stages})
        if unknown:
            raise ValueError(f"expect.p99_ms names {', '.join(unknown)}, which is no stage of this scenario")
        _require_moments(self.faults, self.stages, self.requests)
        require_no_contradiction(self.faults)
        return self


def names() -> list[str]:
    """The names of all scenarios: those of load alone, and then those with faults."""
    return list(_files())


def _files() -> dict[str, Path]:
    return {path.stem: path for folder in (DIRECTORY, DIRECTORY / "faults") for path in sorted(folder.glob("*.toml"))}


def _require_moments(faults: tuple[Fault, ...], stages: tuple[Stage, ...], requests: int) -> None:
    most = dict(zip((stage.name for stage in stages), budgets(stages, requests), strict=True))
    lasts_s = {stage.name: stage.duration_s for stage in stages}
    order = list(most)
    for fault in faults:
        if fault.stage not in most:
            raise ValueError(f"{fault.text}: {fault.stage} is no stage of this scenario")
        late = fault.after_requests is not None and fault.after_requests >= most[fault.stage]
        if late or (fault.after_s or 0) >= (lasts_s[fault.stage] or inf):
            raise ValueError(f"{fault.text}, {fault.moment}: comes after its end")
    for earlier, later in pairwise(faults):
        before, after = order.index(earlier.stage), order.index(later.stage)
        sooner = before == after and (
            (later.after_requests or inf) < (earlier.after_requests or 0)
            or (later.after_s or inf) < (earlier.after_s or 0)
        )
        if after < before or sooner:
            raise ValueError(f"{later.text}, {later.moment}: stands after {earlier.text}, {earlier.moment}")


def _nearest(name: str, known: Iterable[str]) -> str:
    match = get_close_matches(name, list(known), n=1)
    return f", did you mean {match[0]}?" if match else ""


def _sentences(error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        key = ".".join(map(str, detail["loc"]))
        reason = detail["msg"].removeprefix("Value error, ")
        yield f"{key}: {reason}" if key else reason
