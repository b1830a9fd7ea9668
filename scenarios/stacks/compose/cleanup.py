"""Removes the compose stack after the run for which it was started.

`python -m scenarios.stacks.compose.cleanup PORT_OFFSET` waits for the end of its standard input, without a deadline: a
run may take long. The end comes when the process that holds the other end closes it or ends, for whatever reason.
"""

import signal
import sys

from scenarios.cli.exit_codes import ends_in_order
from scenarios.cli.signals import SIGNALS
from scenarios.stacks.compose.stack import ComposeStack
from scenarios.stacks.registry import sentence


def main() -> None:
    """Wait, then remove the stack."""
    for number in SIGNALS:  # they are meant for the runner, which closes standard input when it ends
        signal.signal(number, signal.SIG_IGN)
    with ends_in_order("cleanup", sentence):
        sys.stdin.read()
        ComposeStack(int(sys.argv[1])).stop()


if __name__ == "__main__":
    main()
