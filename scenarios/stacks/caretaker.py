"""Removes the compose stack when whoever started it for a run is done with it, or gone.

`python -m scenarios.stacks.caretaker PORT_OFFSET` waits for the end of its standard input, which comes when the process
that holds its other end closes it, or ends, whatever ended it.
"""

import signal
import sys

from scenarios.errors import UsageError
from scenarios.interruption import SIGNALS
from scenarios.stacks import docker_engine
from scenarios.stacks.compose import ComposeStack


def main() -> None:
    """Wait, then remove the stack."""
    for number in SIGNALS:  # meant for whoever started the stack, who passes the word on
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.read()
    try:
        ComposeStack(int(sys.argv[1])).stop()
    except (UsageError, *docker_engine.FAULTS) as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
