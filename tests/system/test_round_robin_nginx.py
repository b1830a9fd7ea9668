"""The arithmetic of the proof against the real nginx: weights, workers, with a zone and without, keepalive or not."""

from collections import Counter, defaultdict
from fractions import Fraction
from itertools import product

import pytest

from scenarios.formats.columns import Column
from scenarios.spec.round_robin.cycle import cycle, window_bounds
from tests.builders.free_ports import port_offset
from tests.builders.real_nginx import ask, serving

CYCLES = 8
WEIGHTS = [(1, 2, 3), (1, 1), (5, 1, 1), (2, 4, 6), (7, 3), (1, 2, 3, 4, 5), (10, 1, 1, 1)]
BLOCKS = """
upstream backends {{ {zone} {servers} {keepalive} }}
server {{
    listen 127.0.0.1:{port} reuseport;
    location / {{
        proxy_pass http://backends; proxy_http_version 1.1; proxy_set_header Connection "";
        add_header X-Worker $pid;
    }}
}}
{backends}
"""


@pytest.fixture
def picks(tmp_path, request):
    """Who was picked, and by which worker, for request after request on connections of their own."""
    weights, workers, zone, keepalive = request.param
    port = 10_000 + port_offset(*range(10_000, 10_001 + len(weights)))
    places = list(enumerate(weights, start=1))
    blocks = BLOCKS.format(
        zone="zone backends 64k;" if zone else "",
        keepalive="keepalive 8;" if keepalive else "keepalive 0;",
        port=port,
        servers=" ".join(f"server 127.0.0.1:{port + place} weight={weight};" for place, weight in places),
        backends=" ".join(
            f"server {{ listen 127.0.0.1:{port + place}; add_header X-Backend {place - 1}; "
            'location / { return 200 ""; } }'
            for place, _ in places
        ),
    )
    with serving(tmp_path, blocks, port + 1, workers=workers):
        yield [who(ask(port)) for _ in range(CYCLES * sum(weights) + 1)]


def who(headers):
    return int(headers["X-Backend"]), headers["X-Worker"]


def swings(picked, weights):
    """By backend, how far its count less its share went up and down: the furthest that any window is off."""
    total, counts = sum(weights), Counter()
    deviations = defaultdict(lambda: [Fraction(0)])
    for number, pick in enumerate(picked, start=1):
        counts[pick] += 1
        for backend, weight in enumerate(weights):
            deviations[backend].append(counts[backend] - Fraction(number * weight, total))
    return [max(deviations[backend]) - min(deviations[backend]) for backend in range(len(weights))]


@pytest.mark.parametrize(
    "picks", list(product(WEIGHTS, (1, 4), (True,), (True, False))), ids=str, indirect=True
)  # fmt: skip
def test_picks_with_zone_are_one_cycle_and_reach_the_bound(picks, request):
    weights = request.node.callspec.params[Column.PICKS][0]
    order = [pick for pick, _ in picks]
    assert order == [cycle(weights)[number % len(cycle(weights))] for number in range(len(order))]
    assert swings(order, weights) == window_bounds(weights)


@pytest.mark.parametrize("picks", list(product(WEIGHTS, (1, 4), (False,), (True, False))), ids=str, indirect=True)
def test_picks_without_zone_are_a_cycle_of_each_worker(picks, request):
    weights, workers, *_ = request.node.callspec.params[Column.PICKS]
    of_worker = defaultdict(list)
    for pick, worker in picks:
        of_worker[worker].append(pick)
    assert len(of_worker) <= workers
    for order in of_worker.values():
        assert order == [cycle(weights)[number % len(cycle(weights))] for number in range(len(order))]
    bounds = [workers * bound for bound in window_bounds(weights)]
    assert all(
        swing <= bound for swing, bound in zip(swings([pick for pick, _ in picks], weights), bounds, strict=True)
    )
