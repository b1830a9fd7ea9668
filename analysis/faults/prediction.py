"""What is to come of a fault: how many requests may be lost, how soon it is noticed, how soon all is well again."""

from math import floor, inf
from typing import NamedTuple

import pandas as pd

from analysis.faults.outages import Outage
from analysis.faults.timed_attempts import TURN_S, most_at_once
from scenarios.formats.columns import Column
from scenarios.spec.fault_kind import MayLose, Notice
from scenarios.spec.patience import Patience

NOTICED_AFTER_KILL_S = 1.0  # the kernel refuses at once; the next request tells
RETURNED_AFTER_S = 2.0  # beyond fail_timeout: nginx counts whole seconds, and then a request has to come
LONGEST_S = 3600.0  # of a backend that was not made well again


class LossLimit(NamedTuple):
    """How many requests may be lost, and why."""

    most: int
    reason: str


def allowed_losses(outage: Outage, attempts: pd.DataFrame, in_flight: int, users: int, patience: Patience) -> LossLimit:
    """Of one outage. `attempts` are those at its backend; `in_flight` the most that all users had on their way then."""
    match outage.kind.effect.may_lose:
        case MayLose.IN_FLIGHT_ON_BACKEND:
            most = most_at_once(attempts, outage.began_s - TURN_S, outage.broken_s + TURN_S)
            return LossLimit(most, "in flight at the backend")
        case MayLose.IN_FLIGHT:
            return LossLimit(in_flight, "in flight")
        case MayLose.WAITING:
            probes = probes_of(outage, patience)
            if probes is None:
                return LossLimit(0, "it was over before a timeout")
            return LossLimit(users + probes, f"one for each user, and {probes:,} that ask whether it is well again")
        case MayLose.EVERY_REQUEST:
            asked = attempts[(attempts[Column.UNTIL_S] >= outage.began_s) & (attempts[Column.FROM_S] <= outage.well_s)]
            return LossLimit(len(asked), "every request that it is asked")
        case _:
            return LossLimit(0, "this fault cuts off no request")


def probes_of(outage: Outage, patience: Patience) -> int | None:
    """How often one that does not answer is asked again while it is left alone; None when it is not found out."""
    known_s = outage.began_s + patience.read_timeout_s
    if outage.well_s < known_s:
        return None
    return asks_allowed(outage.well_s - known_s, patience)


def asks_allowed(left_alone_s: float, patience: Patience) -> int:
    """How often a backend that is left alone for so long may be asked whether it is well: once in a fail_timeout."""
    return floor(min(left_alone_s, LONGEST_S) / patience.fail_timeout_s) + 1


def noticed_within_s(outage: Outage, patience: Patience) -> float:
    """The longest that the balancer may need to leave a backend alone; infinite where nothing has to be noticed."""
    match outage.kind.effect.notice:
        case Notice.AT_ONCE:
            return NOTICED_AFTER_KILL_S
        case Notice.AFTER_READ_TIMEOUT:
            return patience.read_timeout_s + NOTICED_AFTER_KILL_S
        case Notice.AFTER_BOTH_TIMEOUTS:
            return patience.connect_timeout_s + patience.read_timeout_s + NOTICED_AFTER_KILL_S
        case _:
            return inf


def returned_within_s(outage: Outage, patience: Patience) -> float:
    """The longest that a backend which is well again may have to wait for a request."""
    return patience.fail_timeout_s + RETURNED_AFTER_S if outage.is_noticed else inf
