"""A fault: what is done to the stack in the middle of a run, to which backend, and when. A part of a scenario file."""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from scenarios.spec.fault_kind import FaultKind
from scenarios.spec.strict import Definition, Limit, Name

Backend = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class Fault(Definition):
    """One thing that is done, after so many requests of a stage have ended, or so long after the first of them."""

    kind: Annotated[FaultKind, Field(strict=False)]
    backend: Backend | None = None
    stage: Name
    after_requests: Annotated[int, Field(ge=1)] | None = None
    after_s: Limit | None = None
    cpus: Limit | None = None

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        if (self.backend is None) != self.kind.is_of_balancer:
            raise ValueError(
                f"{self.kind} is done to {'nginx: leave backend out' if self.backend else 'a backend: give backend'}"
            )
        if (self.after_requests is None) == (self.after_s is None):
            raise ValueError(f"{self.text} needs one moment: after_requests or after_s")
        if (self.cpus is None) != (self.kind is not FaultKind.LIMIT_CPU):
            raise ValueError(f"{self.text}: cpus is for limit-cpu, which needs it")
        return self

    @property
    def text(self) -> str:
        """The kind and the backend."""
        return f"{self.kind} {self.backend}" if self.backend else str(self.kind)

    @property
    def moment(self) -> str:
        """When it is done."""
        if self.after_requests is not None:
            return f"after {self.after_requests:,} requests of stage {self.stage}"
        return f"{self.after_s:g} s into stage {self.stage}"


def require_no_contradiction(faults: Iterable[Fault]) -> None:
    """Raise `ValueError` when one of these, in their order, meets a backend in a state that does not allow it.

    A cure needs the state that it ends; every other kind needs a backend that runs.
    """
    broken: dict[str, FaultKind] = {}
    for fault in faults:
        if fault.backend is None:
            continue
        before = broken.pop(fault.backend, None)
        cured_by = before.effect.cured_by if before else ""
        if cured_by != (fault.kind.value if fault.kind.is_cure else ""):
            state = before.effect.leaves if before else "runs"
            raise ValueError(f"{fault.text}, {fault.moment}: by then {fault.backend} {state}")
        if fault.kind.effect.cured_by:
            broken[fault.backend] = fault.kind
