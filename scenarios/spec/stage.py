"""A stage of a scenario, and the rules that the stages of a scenario keep together."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from scenarios.spec.strict import Definition, Limit, Name

RESERVED = "all"  # in the tables the name of all stages, or all backends, together


class Stage(Definition):
    """A number of users, held until the whole run has so many answers, or for a time.

    The last stage has neither end: it runs until every request of the scenario is answered. In a `rendezvous` the users
    connect, wait for each other, and send their first requests together.
    """

    name: Name
    users: Annotated[int, Field(ge=1)]
    spawn_rate: Annotated[float, Field(gt=0, allow_inf_nan=False, description="users started or stopped per second")]
    until_requests: Annotated[int, Field(ge=1)] | None = None
    duration_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    rendezvous: bool = False
    requests_per_s: Annotated[Limit | None, Field(description="at most, all users together")] = None


def require_sound_stages(stages: tuple[Stage, ...], requests: int) -> None:
    """Raise `ValueError` when the stages break a rule: own names, ends that are reached, ramps that finish."""
    _require_own_names(stages)
    _require_reachable_ends(stages, requests)
    _require_time_for_ramps(stages, requests)


def budgets(stages: tuple[Stage, ...], requests: int) -> Iterator[int]:
    """The most requests that each stage can have."""
    start = 0
    for stage in stages:
        end = requests if stage.until_requests is None else stage.until_requests
        yield end - start
        if stage.until_requests is not None:
            start = end


def _require_own_names(stages: tuple[Stage, ...]) -> None:
    seen: set[str] = set()
    for stage in stages:
        if stage.name == RESERVED:
            raise ValueError(f"a stage may not be called {RESERVED}, which means all stages together")
        if stage.name in seen:
            raise ValueError(f"stage {stage.name!r} stands twice: give each stage a name of its own")
        seen.add(stage.name)


def _require_reachable_ends(stages: tuple[Stage, ...], requests: int) -> None:
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


def _require_time_for_ramps(stages: tuple[Stage, ...], requests: int) -> None:
    users = 0
    for stage, budget in zip(stages, budgets(stages, requests), strict=True):
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
