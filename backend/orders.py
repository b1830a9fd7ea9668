"""The signals that put a replica into a fault, and out of it."""

import signal
from collections.abc import Callable

from backend.application.condition import Condition


def heed(condition: Condition) -> None:
    """Let signals change this condition.

    Each handler does no more than set a value, so it may strike anywhere.
    """
    orders: dict[signal.Signals, Callable[[], None]] = {
        signal.SIGUSR1: condition.stop_creating,
        signal.SIGUSR2: condition.look_ill,
        signal.SIGCONT: condition.recover,
    }
    for number, order in orders.items():
        signal.signal(number, _handler(order))


def _handler(order: Callable[[], None]) -> Callable[[int, object], None]:
    return lambda _number, _frame: order()
