"""The arithmetic of faults against the real nginx, while backends are killed and started again beneath it."""

import time
from contextlib import ExitStack

import pytest

from scenarios.spec.round_robin.outage import survivor_bounds
from scenarios.spec.round_robin.recovery import healed_bounds, settling_picks
from tests.builders.free_ports import port_offset
from tests.builders.real_nginx import ask, serving
from tests.system.test_round_robin_nginx import swings

FAIL_TIMEOUT_S = 1
OUT_S = 5.5  # nginx counts whole seconds: so long that it asks twice whether a failed backend is well
CASES = [
    ((1, 2, 3), (0,)),
    ((1, 2, 3), (1,)),
    ((1, 2, 3), (2,)),
    ((1, 2, 3), (0, 2)),
    ((1, 1), (0,)),
    ((5, 1, 1), (0,)),
    ((2, 4, 6), (1,)),
    ((7, 3), (1,)),
    ((1, 2, 3, 4), (3,)),
    ((1, 2, 3, 4), (1, 2)),
    ((10, 20, 30), (1,)),
]
PROXY = """
upstream u{port} {{ zone u{port} 64k; keepalive 0; {servers} }}
server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://u{port}; proxy_next_upstream error timeout; add_header X-Tried $upstream_addr; }}
}}
"""
BACKEND = "server {{ listen 127.0.0.1:{port}; add_header X-Backend {index}; location / {{ return 200 ''; }} }}\n"


class Case:
    """Backends with weights behind a port; some are going to die. It keeps who answered, and how often it failed."""

    def __init__(self, weights, out, port):
        self.weights, self.out, self.port = weights, out, port
        self.places = list(enumerate(range(port + 1, port + 1 + len(weights))))
        self.picks, self.failures = [], 0

    def proxy(self):
        servers = "".join(
            f"server 127.0.0.1:{port} weight={self.weights[index]} max_fails=1 fail_timeout={FAIL_TIMEOUT_S}s;"
            for index, port in self.places
        )
        return PROXY.format(port=self.port, servers=servers)

    def backends(self, *, mortal):
        return "".join(
            BACKEND.format(port=port, index=index) for index, port in self.places if (index in self.out) == mortal
        )

    def ask(self):
        headers = ask(self.port)
        self.picks.append(int(headers["X-Backend"]))
        self.failures += headers["X-Tried"].count(",")

    def since(self, length):
        return self.picks[length:]


class BackendLife:
    """What each case saw: healthy, until all that were to die were found out, without them, and with them again."""

    def __init__(self, cases):
        self.cases = cases
        self.without, self.failed, self.back = {}, {}, {}

    def ask_until(self, is_done):
        while not all(map(is_done, self.cases)):
            for case in self.cases:
                case.ask()

    def ask_for(self, seconds):
        deadline = time.monotonic() + seconds
        self.ask_until(lambda _: time.monotonic() > deadline)

    def marks(self, value):
        return {case: value(case) for case in self.cases}


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    """All cases at once: each needs seconds, and hardly any of the machine."""
    directory = tmp_path_factory.mktemp("nginx")
    width = 1 + max(len(weights) for weights, _ in CASES)
    first = 10_000 + port_offset(*range(10_000, 10_000 + width * len(CASES)))
    cases = [Case(*case, first + width * place) for place, case in enumerate(CASES)]
    life, ports = BackendLife(cases), [case.port for case in cases]
    immortal = "".join(case.proxy() + case.backends(mortal=False) for case in cases)
    mortal = "".join(case.backends(mortal=True) for case in cases)
    with ExitStack() as immortals:
        with serving(directory / "mortal", mortal, cases[0].places[cases[0].out[0]][1]):
            immortals.enter_context(serving(directory / "immortal", immortal, *ports))
            life.ask_for(0.2)
        life.ask_until(lambda case: case.failures >= len(case.out))
        life.without, life.failed = life.marks(lambda case: len(case.picks)), life.marks(lambda case: case.failures)
        life.ask_for(OUT_S)
        life.failed = life.marks(lambda case: case.failures - life.failed[case])
        life.gone = life.marks(lambda case: case.since(life.without[case]))
        with serving(directory / "mortal", mortal, cases[0].places[cases[0].out[0]][1]):
            dead = life.marks(lambda case: len(case.picks))
            life.ask_until(lambda case: set(case.out) <= set(case.since(dead[case])))
            back = life.marks(lambda case: len(case.picks))
            life.ask_until(
                lambda case: len(case.since(back[case])) > settling_picks(case.weights) + 5 * sum(case.weights)
            )
            life.back = life.marks(lambda case: case.since(back[case]))
    return life


@pytest.fixture(params=range(len(CASES)), ids=lambda place: str(CASES[place]))
def case(life, request):
    return life.cases[request.param]


def test_survivors_share_never_passes_its_bound(life, case):
    asked = life.failed[case]
    assert asked >= 2 * len(case.out)
    bounds = survivor_bounds(case.weights, case.out, asked + len(case.out), hanging=False)
    survivors = list(bounds)
    picks = [survivors.index(pick) for pick in life.gone[case]]
    found = swings(picks, [case.weights[index] for index in survivors])
    assert all(swing <= bounds[index] for index, swing in zip(survivors, found, strict=True))


def test_failed_backend_is_asked_once_in_a_fail_timeout(life, case):
    assert life.failed[case] <= len(case.out) * (OUT_S // FAIL_TIMEOUT_S + 1)


def test_picks_after_a_return_are_as_exact_as_their_bound(life, case):
    settled = life.back[case][settling_picks(case.weights) :]
    total = sum(case.weights)
    bounds = healed_bounds(case.weights, total)
    for begin in range(len(settled) - total):
        window = settled[begin : begin + total]
        for index, (weight, bound) in enumerate(zip(case.weights, bounds, strict=True)):
            assert abs(window.count(index) - weight) <= bound
