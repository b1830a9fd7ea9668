"""What a run has to know of a balancer: its configuration, the words of its log, and how it is told to reload."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from signal import Signals
from typing import Protocol

from scenarios.spec.patience import Patience
from scenarios.spec.target import AnsweredBy


class Algorithm(StrEnum):
    """The algorithms that a fingerprint can tell apart."""

    SHARED = "weighted round-robin, shared"
    PER_WORKER = "weighted round-robin, per worker"
    RANDOM = "random"
    LEAST_CONNECTIONS = "least connections"
    ADDRESS_HASH = "hash of the client's address"


@dataclass(frozen=True)
class Notation:
    """How the balancer's log writes what is no plain value. Patterns are regular expressions."""

    nothing: str  # where there is no value
    between: str  # a pattern: what stands between the values of two attempts, where a request took several
    asked: str  # a pattern: found in the address of a backend that was asked, and not where no backend was left
    failed_statuses: frozenset[str]  # of an attempt that brought no answer
    client_left: int  # the status of a request whose client had left before its answer

    def attempts(self, text: str) -> list[str]:
        """The value of each attempt, in their order."""
        return re.split(self.between, text)


class Configuration(Protocol):
    """A balancer's configuration. Everything that reads a value raises `UsageError` naming file and line."""

    source: Path

    def turns(self) -> list[tuple[str, int]]:
        """The name and the weight of each server that takes turns, in the order of the file."""

    def cycles(self) -> int:
        """How many balancing states run side by side."""

    def algorithms(self) -> tuple[Algorithm, ...]:
        """What the balancer does; several algorithms when they come to the same, none when it is none of ours."""

    def require_round_robin(self) -> None:
        """Raise `UsageError` when it balances by another algorithm than weighted round-robin."""

    def require_ledger(self, identity: AnsweredBy) -> None:
        """Raise `UsageError` when its log is not what `balancer.csv` holds, or does not say which backend answered."""

    def patience(self) -> Patience:
        """How long it waits for a backend."""


class Balancer(Protocol):
    """A kind of balancer."""

    notation: Notation
    reload_signal: Signals  # to its first process
    worker_title: str  # how the command line of a worker process begins

    def configuration(self, path: Path) -> Configuration:
        """The configuration in a file. Raises `UsageError` when it is none."""
