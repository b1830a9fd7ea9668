"""The signals that set and clear the fault switches of a replica."""

import signal

from backend.application.fault_switches import FaultSwitches


def handle_fault_signals(switches: FaultSwitches) -> None:
    """Let signals set and clear these switches.

    A handler only assigns values, so it may interrupt any code.
    """
    signal.signal(signal.SIGUSR1, lambda *_: switches.fail_creation())
    signal.signal(signal.SIGUSR2, lambda *_: switches.fail_health_check())
    signal.signal(signal.SIGCONT, lambda *_: switches.clear())
