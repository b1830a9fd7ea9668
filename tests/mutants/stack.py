"""The local stack with faulty replicas in it, and its supervisor: `python -m tests.mutants.stack FAULTS …`.

The arguments that follow are those of the real stack's supervisor.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

from scenarios.stacks.local.stack import LocalStack
from scenarios.stacks.local.supervisor import Orders, supervise


class MutantStack(LocalStack):
    """The local stack, in which replicas with a fault, given by their tags, are other programs."""

    def __init__(self, offset, conf, state, faults):
        super().__init__(offset, conf, state)
        self._faults = faults

    def services(self):
        return [self._mutated(service) for service in super().services()]

    def supervisor_module(self):
        return ("tests.mutants.stack", json.dumps(self._faults))

    def _mutated(self, service):
        fault = self._faults.get(service.name)
        if fault is None:
            return service
        port = str(service.address.port)
        return replace(service, command=(sys.executable, "-m", "tests.mutants.backend", fault, "--port", port))


def main():
    faults, state, conf, port_offset, mode = sys.argv[1:]
    stack = MutantStack(int(port_offset), Path(conf), Path(state), json.loads(faults))
    sys.exit(supervise(stack, Orders(attached=mode == "attached")))


if __name__ == "__main__":
    main()
