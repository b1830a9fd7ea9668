"""A claim, tested: what was expected, what was observed, and what follows."""

from enum import StrEnum

from pydantic import BaseModel, computed_field

from analysis.checks.meanings import meaning_of


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


class Check(BaseModel):
    """One claim, tested. `meaning` says what follows when it did not pass."""

    name: str
    claim: str
    expected: str
    observed: str
    outcome: Outcome
    evidence: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def meaning(self) -> str:
        """What it would mean if the claim did not hold, or could not be tested."""
        return meaning_of(self.name)
