"""The one use case: create a LEGO model from what a client sent."""

import time
from dataclasses import dataclass, field

from pydantic import ValidationError

from backend.application.condition import Condition, OutOfOrder
from backend.domain.lego_model import LegoModel


@dataclass(slots=True)
class Tally:
    """Outcomes since this process started. It is the backends' own ledger of the work they did."""

    started: float = field(default_factory=time.time)  # seconds since the Unix epoch
    created: int = 0
    rejected: int = 0
    failed: int = 0


class CreateModel:
    """Builds a model, and counts what came of it. Nothing is stored: a proof needs the count, not the bricks."""

    def __init__(self, tally: Tally, condition: Condition) -> None:
        self._tally = tally
        self._condition = condition

    def __call__(self, document: bytes) -> LegoModel:
        """Create the model described by a JSON document.

        Raises `pydantic.ValidationError` when the bytes are no JSON or a rule of the domain is broken, and `OutOfOrder`
        when the replica was put into that fault.
        """
        if not self._condition.creates_models:
            self._tally.failed += 1
            raise OutOfOrder
        try:
            model = LegoModel.model_validate_json(document)
        except ValidationError:
            self._tally.rejected += 1
            raise
        self._tally.created += 1
        return model
