"""What each difference between the ledgers means for the verdict."""

from typing import NamedTuple

from analysis.checks.check import Outcome
from analysis.reconciliation import Difference


class Rule(NamedTuple):
    """What a difference between the ledgers means."""

    claim: str
    outcome: Outcome  # where there is one
    moves_the_split: bool  # whether the exact bound presupposes that there is none


RULES = {
    Difference.FOREIGN: Rule("Nobody else used the balancer.", Outcome.INVALID, moves_the_split=True),
    Difference.UNRECORDED: Rule(
        "The client has a row for each of its requests that the balancer saw.", Outcome.INVALID, moves_the_split=True
    ),
    Difference.REPEATED: Rule(
        "The balancer saw each request once.", Outcome.INVALID, moves_the_split=True
    ),
    Difference.UNLOGGED: Rule(
        "The balancer has logged every request that was answered.", Outcome.INVALID, moves_the_split=True
    ),
    Difference.REFUSED: Rule(
        "Every request reached the balancer.", Outcome.FAIL, moves_the_split=False
    ),
    Difference.ABANDONED: Rule(
        "The client waited for every answer.", Outcome.INVALID, moves_the_split=True
    ),
    Difference.ALTERED: Rule(
        "What the balancer passed on is what the client received, whole.", Outcome.FAIL, moves_the_split=False
    ),
    Difference.RETRIED: Rule(
        "No request was tried on a second backend, which would be another pick.", Outcome.INVALID, moves_the_split=True
    ),
    Difference.FAILED_ATTEMPT: Rule(
        "No attempt failed, which would lower that backend's weight for a while.", Outcome.INVALID, moves_the_split=True
    ),
    Difference.TWICE: Rule(
        "No request was processed by two backends.", Outcome.FAIL, moves_the_split=False
    ),
    Difference.LOST: Rule(
        "What a backend processed was answered.", Outcome.FAIL, moves_the_split=False
    ),
    Difference.UNCOUNTED: Rule(
        "What a backend answered it has processed.", Outcome.FAIL, moves_the_split=False
    ),
    Difference.UNASKED: Rule(
        "Nobody used a backend but the balancer.", Outcome.INVALID, moves_the_split=False
    ),
}  # fmt: skip

# which only the backends' counters can show
OF_COUNTERS = {Difference.TWICE, Difference.LOST, Difference.UNCOUNTED, Difference.UNASKED}

# with these, the ledgers are not of the same requests
DISTURBANCES = {
    Difference.FOREIGN,
    Difference.UNRECORDED,
    Difference.REPEATED,
    Difference.UNLOGGED,
    Difference.ABANDONED,
}
