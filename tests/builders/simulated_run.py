"""A run with simulated workers: real stages, budget, permits and ledgers, but messages that stay in this process."""

import csv
import random
import time
from collections import defaultdict, deque
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import SimpleNamespace

import gevent
import pytest
from gevent.event import Event

from locustfiles.generator.permits import Permits
from locustfiles.generator.protocol import ABANDON, CLOSE, GRANT, OPEN
from scenarios.formats.columns import Column
from scenarios.formats.report_directory import Host, Manifest, ReportDirectory
from scenarios.formats.rows import GeneratorSample, Response
from scenarios.spec.claim import Claim
from scenarios.spec.scenario import Scenario

with pytest.MonkeyPatch.context() as environment:  # the other tests of this process need the standard library as it is
    environment.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
    from locust.runners import MasterRunner, WorkerNode, WorkerNodes
    from locust.stats import RequestStats

    from locustfiles.generator import run as run_module

ENDS_WITHIN_S = 20
SAMPLE_EVERY_S = 0.005


class QueueRunner(MasterRunner):
    """A master without a network: it delivers the messages of one worker in order, those of several in any order."""

    def __init__(self, seed):
        self.environment = SimpleNamespace(stats=RequestStats())
        self.greenlet = ()  # Locust's runner asks for it when it is deleted
        self.clients = WorkerNodes()
        self.workers = {}
        self.sent = []  # (type, worker) of every message to a worker
        self._chance = random.Random(seed)
        self._queues = defaultdict(deque)

    def send_message(self, msg_type, data=None, client_id=None):
        for name in [client_id] if client_id else self.clients:
            self.sent.append((msg_type, name))
            self.post((name, "to"), self.workers[name].receive, msg_type, data)

    def post(self, queue, function, *arguments):
        self._queues[queue].append((function, arguments))

    def deliver_some(self):
        """Deliver a few of the messages that wait."""
        for _ in range(self._chance.randint(0, 20)):
            waiting = [queue for queue in self._queues.values() if queue]
            if waiting:
                function, arguments = self._chance.choice(waiting).popleft()
                function(*arguments)

    @property
    def is_quiet(self):
        return not any(self._queues.values())

    def lose(self, name):
        """A worker is gone, with everything that it has sent and that has not arrived."""
        self.workers.pop(name).die()
        del self.clients[name]
        for direction in ("to", "from"):
            self._queues.pop((name, direction), None)


class SimulatedWorker:
    """The permits of a worker, and users that take them. `answers` says whether requests come to their end."""

    def __init__(self, name, simulation):
        self.name, self._simulation = name, simulation
        self.permits = Permits(self._report)
        self.users, self._waiting = set(), set()
        self._wanted = 0
        self._rows = []

    def start(self, users):
        """Have so many users from now on. As with Locust, a surplus user ends after its request."""
        self._wanted = users
        while len(self.users) > users and self._waiting:
            self._waiting.pop().kill()
        while len(self.users) < users:
            self.users.add(gevent.spawn(self._user))
            gevent.sleep(0)

    def die(self):
        gevent.killall(list(self.users))

    def receive(self, msg_type, data):
        if msg_type == OPEN:
            self.permits.open(data[Column.STAGE])
        elif msg_type == GRANT:
            self.permits.grant(**data)
        elif msg_type == CLOSE:
            self.permits.close()
        else:
            assert msg_type == ABANDON
            self._simulation.answers.set()

    def sample(self):
        """Send rows and a sample, as a worker does regularly."""
        sample = GeneratorSample(
            0,
            self.name,
            self.permits.stage,
            len(self.users),
            0,
            0,
            self.permits.waiting,
            self.permits.in_flight,
            0,
            0,
            0,
        )
        self._send_rows([sample])

    def _user(self):
        user = gevent.getcurrent()
        try:
            self._simulation.connected.wait(timeout=60)
            while len(self.users) <= self._wanted:
                self._waiting.add(user)
                permit = self.permits.take()
                self._waiting.discard(user)
                self._send(permit)
        finally:
            self.users.discard(user)
            self._waiting.discard(user)

    def _send(self, permit):
        gevent.sleep(0.001)
        self._simulation.answers.wait(timeout=60)
        error = self._simulation.error
        self._rows.append(Response(0, 1000, 0, 0, "a", 201, permit.stage, permit.request_id, error))
        self.permits.done()

    def _report(self, report):
        self._send_rows([])
        self._post(self._simulation.run.report, self.name, report)

    def _send_rows(self, samples):
        rows, self._rows = self._rows, []
        self._post(self._simulation.run.receive, self.name, rows, samples, self.permits.in_flight)

    def _post(self, function, *arguments):
        self._simulation.runner.post((self.name, "from"), function, *arguments)


class Simulation:
    """A run, its workers and the loop that asks the run for users, as Locust's shape does."""

    def __init__(self, path, stages, requests, workers, seed):
        scenario = Scenario.model_validate(
            {"name": "made", "title": "Made", "claim": "It holds.", "requests": requests, "stages": stages}
        )
        self.manifest = Manifest(
            scenario=scenario, scaled=False, claim=Claim(weights={"a": 1}, source="a test"), stack="none",
            client="simulated", processes=workers, git_commit=None, versions={},
            host=Host.here(), generator_started_at=datetime.now(UTC), started_at=datetime.now(UTC),
        )  # fmt: skip
        self.directory = ReportDirectory(path / "report")
        self.directory.path.mkdir()
        self.runner = QueueRunner(seed)
        self.answers, self.connected = Event(), Event()  # whether requests are answered, and users connect
        self.answers.set()
        self.connected.set()
        self.error = ""
        self.users = scenario.stages[0].users  # wanted by the run
        self.limited = lambda users: users  # what Locust has made of that so far
        self._sampled_at = 0.0
        for number in range(workers):
            self.join(f"worker {number}")
        self.run = run_module.Run(self.runner, self.manifest, self.directory)
        self.shape = gevent.spawn(self._follow)

    def join(self, name):
        """A worker that takes part from now on."""
        self.runner.workers[name] = SimulatedWorker(name, self)
        self.runner.clients[name] = WorkerNode(name)

    def drive(self, until=lambda: False):
        """Let the run go on until the condition holds, or to its end."""
        with gevent.Timeout(ENDS_WITHIN_S):
            while not (until() or (self.shape.dead and self.runner.is_quiet)):
                self._place_users()
                self._sample()
                self.runner.deliver_some()
                gevent.sleep(0.0005)  # not 0: permits let an event loop that is never idle look at its timers rarely
        return self

    def drive_for(self, seconds):
        """Let the run go on for a time."""
        timer = gevent.spawn(gevent.sleep, seconds)
        return self.drive(lambda: timer.dead)

    def sent(self, msg_type):
        """The workers that a message of this type was sent to, in order."""
        return [name for each, name in self.runner.sent if each == msg_type]

    def _follow(self):
        while (wanted := self.run.tick()) is not None:
            self.users = wanted[0]

    def _place_users(self):
        users, count = self.limited(self.users), len(self.runner.workers)
        for place, worker in enumerate(self.runner.workers.values()):
            worker.start(users // count + (place < users % count))

    def _sample(self):
        now = time.monotonic()
        if now - self._sampled_at > SAMPLE_EVERY_S:
            self._sampled_at = now
            for worker in self.runner.workers.values():
                worker.sample()


@contextmanager
def simulated(path, stages, requests, workers=1, seed=0):
    """A run that has just begun. Nothing of it is left afterwards."""
    simulation = Simulation(path, stages, requests, workers, seed)
    try:
        yield simulation
    finally:
        simulation.shape.kill()
        if not simulation.run.is_over:
            with suppress(OSError):
                simulation.run.end()
        for worker in simulation.runner.workers.values():
            worker.die()


def ledger(simulation):
    """The rows of `responses.csv`."""
    with simulation.directory.responses_path.open(newline="") as file:
        return list(csv.DictReader(file))


def mark(simulation):
    """The end mark: whether the run was complete, and why it ended."""
    end = simulation.directory.manifest().end
    return None if end is None else (end.complete, end.reason)
