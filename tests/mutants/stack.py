"""The local stack with faulty replicas in it."""

import sys
import threading
from contextlib import contextmanager
from dataclasses import replace

from scenarios.errors import UsageError
from scenarios.stacks.local import LocalStack
from scenarios.stacks.supervisor import supervise


class Order:
    """The order to stop, given by this process."""

    def __init__(self):
        self._given = threading.Event()

    def give(self):
        self._given.set()

    def to_stop(self, within_s=None):
        return self._given.wait(within_s)


class MutantStack(LocalStack):
    """Services are those of the local stack, but replicas with a fault, by their tags, are other programs."""

    def __init__(self, offset, conf, state, faults):
        super().__init__(offset, conf, state)
        self._faults = faults

    def services(self):
        return [self._mutated(service) for service in super().services()]

    @contextmanager
    def up(self):
        self.directory.mkdir(parents=True)
        order = Order()
        supervisor = threading.Thread(target=supervise, args=(self, order))
        supervisor.start()
        try:
            while not self.is_up():
                supervisor.join(0.05)
                if not supervisor.is_alive():
                    raise UsageError("the stack did not start")
            yield True
        finally:
            order.give()
            supervisor.join()

    def _mutated(self, service):
        fault = self._faults.get(service.address.name)
        if fault is None:
            return service
        port = str(service.address.port)
        return replace(service, command=(sys.executable, "-m", "tests.mutants.backend", fault, "--port", port))
