"""A claim, tested: what was expected, what was observed, and what follows."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ValidationInfo, computed_field, field_serializer, field_validator


class Outcome(StrEnum):
    """PASS: the claim held. FAIL: the system broke it. INVALID: this run cannot tell.

    UNTESTED: this kind of stack has nothing that could keep the claim or break it. It says nothing about the run.
    """

    UNTESTED = "UNTESTED"
    PASS = "PASS"  # noqa: S105
    INVALID = "INVALID"
    FAIL = "FAIL"

    @property
    def exit_code(self) -> int:
        """For the shell; 2 is left for wrong usage."""
        return {Outcome.UNTESTED: 0, Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.INVALID: 3}[self]

    @classmethod
    def of(cls, *, held: bool, known: bool = True) -> "Outcome":
        """What follows when a claim held or not, or when that is not known."""
        if not known:
            return cls.INVALID
        return cls.PASS if held else cls.FAIL


class Source(NamedTuple):
    """A file that a sceptic opens, and the ledgers that it was made from."""

    file: str
    ledgers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CheckKind:
    """What all checks of one kind have in common. A module of checks declares its kinds and lists them in `KINDS`.

    `claim` may name the `{subject}` of a check and its `{detail}`. Raises `KeyError` when it names anything else, which
    is when its module is imported.
    """

    title: str  # no other kind has it: a verdict that is read knows the kind by it
    claim: str
    meaning: str  # what follows if the claim does not hold
    evidence: Source
    is_prediction: bool = False  # of what a fault does
    is_always_compared: bool = False  # shown in a comparison even where nothing changed

    def __post_init__(self) -> None:
        self.claim.format(subject="", detail="")


class Check(BaseModel):
    """One claim, tested. `subject` is the backend, the stage or the fault that it is about; empty for the whole run."""

    kind: CheckKind
    subject: str = ""
    detail: str = ""
    expected: str
    observed: str
    outcome: Outcome

    @computed_field  # type: ignore[prop-decorator]
    @property
    def name(self) -> str:
        """The kind and the subject, as a person reads them."""
        return f"{self.kind.title} {self.subject}" if self.subject else str(self.kind.title)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def claim(self) -> str:
        """What was tested, in a sentence."""
        return self.kind.claim.format(subject=self.subject, detail=self.detail)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def evidence(self) -> str:
        """The name of the file to open."""
        return self.kind.evidence.file

    @computed_field  # type: ignore[prop-decorator]
    @property
    def meaning(self) -> str:
        """What it would mean if the claim did not hold, or could not be tested."""
        return self.kind.meaning

    @field_serializer("kind")
    def _title(self, kind: CheckKind) -> str:
        return kind.title

    @field_validator("kind", mode="plain")
    @classmethod
    def _kind(cls, kind: object, read: ValidationInfo) -> CheckKind:
        """A verdict that is read has the title; `context` has the kind of each title."""
        found = (read.context or {}).get(kind) if isinstance(kind, str) else kind
        if not isinstance(found, CheckKind):
            raise ValueError(f"{kind!r} is no kind of check")  # noqa: TRY004 - pydantic reports only this one
        return found
