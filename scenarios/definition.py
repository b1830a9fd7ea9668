"""A scenario: how much load, in which stages, and what is expected of the answers. Read from a TOML file."""

import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from scenarios.errors import UsageError
from scenarios.fault import Fault, require_no_contradiction
from scenarios.strict import Definition, Limit, Name

DIRECTORY = Path(__file__).parent
MOST_REQUESTS, MOST_USERS = 100_000_000, 1_000_000  # that can be asked for
RESERVED = "all"  # the name of everything together, in the tables

Sentence = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Stage(Definition):
    """A number of users, held until enough requests of the whole run were answered, or for a time.

    The last stage has neither: it runs until every request of the scenario is answered. In a `rendezvous` the users
    connect and wait for each other, and all send their first request together.
    """

    name: Name
    users: Annotated[int, Field(ge=1)]
    spawn_rate: Annotated[float, Field(gt=0, allow_inf_nan=False, description="users started or stopped per second")]
    until_requests: Annotated[int, Field(ge=1)] | None = None
    duration_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    rendezvous: bool = False
    requests_per_s: Annotated[Limit | None, Field(description="at most, all users together")] = None


class Expect(Definition):
    """What the answers must be like, beyond the split."""

    error_rate: Annotated[float, Field(ge=0, le=1, description="failed requests, as a share of all")] = 0.0
    p99_ms: dict[str, Limit] = Field(default_factory=dict, description="by stage")


class Generator(Definition):
    """What the generator must be like for its measurements to count."""

    loop_lag_p99_ms: Annotated[Limit, Field(description="how late its event loop may be")] = 500.0


class Scenario(Definition):
    """A named amount of load with the claim that it tests."""

    name: Name
    title: Sentence
    claim: Sentence
    requests: Annotated[int, Field(ge=1, description="the run sends exactly this many")]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, strict=False)]
    faults: Annotated[tuple[Fault, ...], Field(strict=False)] = ()
    expect: Expect = Expect()
    generator: Generator = Generator()

    @classmethod
    def load(cls, name: str) -> Self:
        """The scenario `scenarios/<name>.toml`. Raises `UsageError` when there is none or it breaks a rule."""
        if name not in names():
            raise UsageError(f"no scenario {name!r}{_nearest(name)}; there are {', '.join(names())}")
        return cls.read(DIRECTORY / f"{name}.toml")

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
        for what, number in (("requests", requests), ("users", users)):
            if number is not None and number < 1:
                raise UsageError(f"{self.name}: {number} {what} are none: ask for 1 or more")
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
    def _stages_fit_together(self) -> Self:
        _each_name_once(self.stages)
        _each_end_is_reachable(self.stages, self.requests)
        _each_ramp_can_finish(self.stages, self.requests)
        strangers = sorted(self.expect.p99_ms.keys() - {stage.name for stage in self.stages})
        if strangers:
            raise ValueError(f"expect.p99_ms names {', '.join(strangers)}, which is no stage of this scenario")
        _each_fault_has_its_moment(self.faults, self.stages, self.requests)
        require_no_contradiction(self.faults)
        return self


def names() -> list[str]:
    """The names of all scenarios."""
    return sorted(path.stem for path in DIRECTORY.glob("*.toml"))


def _each_name_once(stages: tuple[Stage, ...]) -> None:
    seen: set[str] = set()
    for stage in stages:
        if stage.name == RESERVED:
            raise ValueError(f"a stage may not be called {RESERVED}, which means all stages together")
        if stage.name in seen:
            raise ValueError(f"stage {stage.name!r} stands twice: give each stage a name of its own")
        seen.add(stage.name)


def _each_end_is_reachable(stages: tuple[Stage, ...], requests: int) -> None:
    *others, last = stages
    if last.until_requests is not None or last.duration_s is not None:
        raise ValueError(f"stage {last.name!r} is the last and runs until all are answered: give it no end of its own")
    for stage in others:
        if (stage.until_requests is None) == (stage.duration_s is None):
            raise ValueError(f"stage {stage.name!r} needs one end: until_requests or duration_s")
    ends = [0, *(stage.until_requests for stage in others if stage.until_requests is not None), requests]
    for earlier, later in pairwise(ends):
        if later <= earlier:
            raise ValueError(f"until_requests must rise from stage to stage and stay under requests: {ends[1:]}")


def _each_ramp_can_finish(stages: tuple[Stage, ...], requests: int) -> None:
    users = 0
    for stage, budget in zip(stages, _budgets(stages, requests), strict=True):
        if budget < stage.users:
            raise ValueError(
                f"stage {stage.name!r} has {budget} requests for {stage.users} users: some never get a turn"
            )
        ramp_s = abs(stage.users - users) / stage.spawn_rate
        if stage.duration_s is not None and ramp_s > stage.duration_s:
            raise ValueError(
                f"stage {stage.name!r} lasts {stage.duration_s:g} s, but going from {users} to {stage.users} users "
                f"at {stage.spawn_rate:g} per second takes {ramp_s:g} s"
            )
        users = stage.users


def _each_fault_has_its_moment(faults: tuple[Fault, ...], stages: tuple[Stage, ...], requests: int) -> None:
    most = dict(zip((stage.name for stage in stages), _budgets(stages, requests), strict=True))
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


def _budgets(stages: tuple[Stage, ...], requests: int) -> Iterator[int]:
    """The most requests that each stage can have."""
    start = 0
    for stage in stages:
        end = requests if stage.until_requests is None else stage.until_requests
        yield end - start
        if stage.until_requests is not None:
            start = end


def _nearest(name: str) -> str:
    match = get_close_matches(name, names(), n=1)
    return f", did you mean {match[0]}?" if match else ""


def _sentences(error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        key = ".".join(map(str, detail["loc"]))
        reason = detail["msg"].removeprefix("Value error, ")
        yield f"{key}: {reason}" if key else reason
