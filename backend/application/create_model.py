"""The one use case: create a LEGO model from what a client sent."""

import time
from dataclasses import dataclass, field

from pydantic import ValidationError

from backend.application.fault_switches import CreationSwitchedOff, FaultSwitches
from backend.domain.lego_model import LegoModel


@dataclass(slots=True)
class Counters:
    """Outcomes since this process started. They are the backend's own ledger of its work."""

    started_s: float = field(default_factory=time.time)  # since the Unix epoch
    created: int = 0
    rejected: int = 0
    failed: int = 0


class CreateModel:
    """Builds a model and counts the outcome. It stores nothing: a proof needs the count, not the bricks."""

    def __init__(self, counters: Counters, switches: FaultSwitches) -> None:
        self._counters = counters
        self._switches = switches

    def __call__(self, document: bytes) -> LegoModel:
        """Create the model that a JSON document describes.

        Raises `pydantic.ValidationError` when the bytes are not JSON or break a rule of the domain, and
        `CreationSwitchedOff` when that fault is on.
        """
        if self._switches.creation_fails:
            self._counters.failed += 1
            raise CreationSwitchedOff
        try:
            model = LegoModel.model_validate_json(document)
        except ValidationError:
            self._counters.rejected += 1
            raise
        self._counters.created += 1
        return model
