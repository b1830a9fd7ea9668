"""nginx's `ngx_http_upstream_round_robin.c`, line by line, with `max_fails=1`, and a random life for it to lead."""

import random
from fractions import Fraction

FAIL_TIMEOUT = 2


class Peer:
    def __init__(self, weight):
        self.weight = self.effective = weight
        self.current = self.fails = self.checked = self.accessed = 0


class Nginx:
    """`ngx_http_upstream_get_peer` and `ngx_http_upstream_free_round_robin_peer_locked`, and the time in seconds."""

    def __init__(self, weights):
        self.peers = [Peer(weight) for weight in weights]
        self.now = 0

    def out(self, index):
        peer = self.peers[index]
        return peer.fails >= 1 and self.now - peer.checked <= FAIL_TIMEOUT

    def get(self, tried):
        total, best = 0, None
        for index, peer in enumerate(self.peers):
            if index in tried or self.out(index):
                continue
            peer.current += peer.effective
            total += peer.effective
            if peer.effective < peer.weight:
                peer.effective += 1
            if best is None or peer.current > self.peers[best].current:
                best = index
        if best is None:
            return None
        peer = self.peers[best]
        peer.current -= total
        if self.now - peer.checked > FAIL_TIMEOUT:
            peer.checked = self.now
        return best

    def free(self, index, *, failed):
        peer = self.peers[index]
        if failed:
            peer.fails += 1
            peer.accessed = peer.checked = self.now
            peer.effective = max(0, peer.effective - peer.weight)
        elif peer.accessed < peer.checked:
            peer.fails = 0


class Life:
    """Requests of which any number is in flight, answered in any order, or failing where a backend is dead.

    Time passes once in 13 events, or `waits` as often.
    """

    def __init__(self, weights, seed, *, hanging=True, waits=1.0):
        self.nginx = Nginx(weights)
        self.chance = random.Random(seed)
        self.dead = set()
        self.in_flight = []
        self.picks = []  # who was picked, how many probes were over before, and how many were begun
        self.probes = 0
        self.hanging = hanging
        self.waits = waits

    def lead(self, steps):
        for _ in range(steps):
            self.chance.choices((self.begin, self.end, self.wait), (6, 6, self.waits))[0]()

    def begin(self, tried=frozenset()):
        asked = self.probes - len(self.eligible())
        picked = self.nginx.get(tried)
        if picked is not None:
            self.picks.append((picked, asked, self.probes))
            self.in_flight.append((picked, tried | {picked}))

    def end(self):
        if self.in_flight:
            picked, tried = self.in_flight.pop(self.chance.randrange(len(self.in_flight)))
            failed = picked in self.dead
            self.nginx.free(picked, failed=failed)
            if failed and self.may_retry(tried) and self.chance.random() < 0.5:
                self.begin(tried)

    def may_retry(self, tried):
        """Not a request that outlives the outage of another backend that it tried: it would pass over that one."""
        return all(self.nginx.out(index) for index in tried)

    def wait(self):
        while not self.hanging and any(picked in self.dead for picked, _ in self.in_flight):
            self.end()
        before = self.eligible()
        self.nginx.now += self.chance.choice((1, FAIL_TIMEOUT + 1))
        self.probes += len(self.eligible() - before)

    def eligible(self):
        return {index for index in self.dead if not self.nginx.out(index)}

    def heal(self):
        """Until everyone answers, takes part in every pick, and has its weight again."""
        self.dead.clear()
        self.until(lambda: all(not peer.fails for peer in self.nginx.peers))

    def kill(self, dead):
        """From any state of a healthy balancer; until the dead are known to be dead."""
        self.heal()
        self.until(lambda: all(peer.effective == peer.weight for peer in self.nginx.peers))
        self.dead = set(dead)
        self.until(lambda: all(self.nginx.out(index) and not self.nginx.peers[index].effective for index in dead))
        self.picks, self.probes = [], 0

    def until(self, condition):
        while not condition():
            self.lead(1)


def deviations(picks, weights, probes):
    """By backend of these weights, the furthest that any run of its picks is off that at most so many probes touch."""
    picks = [pick for pick in picks if pick[0] in weights]
    total = sum(weights.values())
    furthest = dict.fromkeys(weights, Fraction(0))
    for start, (_, over, _) in enumerate(picks):
        counts = dict.fromkeys(weights, 0)
        for number, (picked, _, begun) in enumerate(picks[start:], start=1):
            if begun - over > probes:
                break
            counts[picked] += 1
            for index, weight in weights.items():
                furthest[index] = max(furthest[index], abs(counts[index] - Fraction(number * weight, total)))
    return furthest
