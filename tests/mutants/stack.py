"""The local stack with faulty replicas in it, and its supervisor: `python -m tests.mutants.stack FAULTS …`.

What follows is what the supervisor of the real one is told.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

from scenarios.stacks.local import LocalStack
from scenarios.stacks.supervisor import Orders, supervise


class MutantStack(LocalStack):
    """Services are those of the local stack, but replicas with a fault, by their tags, are other programs."""

    def __init__(self, offset, conf, state, faults):
        super().__init__(offset, conf, state)
        self._faults = faults

    def services(self):
        return [self._mutated(service) for service in super().services()]

    def supervised_by(self):
        return ("tests.mutants.stack", json.dumps(self._faults))

    def _mutated(self, service):
        fault = self._faults.get(service.address.name)
        if fault is None:
            return service
        port = str(service.address.port)
        return replace(service, command=(sys.executable, "-m", "tests.mutants.backend", fault, "--port", port))


def main():
    faults, state, conf, port_offset, stay = sys.argv[1:]
    stack = MutantStack(int(port_offset), Path(conf), Path(state), json.loads(faults))
    sys.exit(supervise(stack, Orders(heed_input=stay == "leave")))


if __name__ == "__main__":
    main()
