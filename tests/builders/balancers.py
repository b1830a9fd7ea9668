"""Balancers as nginx has them, written again from its sources, and the rows that a probe of one leaves."""

import random
import zlib

import pandas as pd

from analysis.evidence.frames import dtypes_of
from scenarios.formats.columns import header
from scenarios.formats.probe_record import Phase, ProbeRecord
from scenarios.formats.rows import Probed
from scenarios.spec.balancer import Algorithm

STEP_US, ANSWER_US, RESUMED_US = 10_000, 1_000, 10_000_000


class RoundRobin:
    """One state of smooth weighted round-robin."""

    def __init__(self, weights):
        self.weights = weights
        self.current = dict.fromkeys(weights, 0)
        self.open = dict.fromkeys(weights, 0)

    def pick(self, _source):
        return self.best(self.weights)

    def best(self, tags):
        """Among some of the backends."""
        for tag in tags:
            self.current[tag] += self.weights[tag]
        best = max(tags, key=lambda tag: self.current[tag])
        self.current[best] -= sum(self.weights[tag] for tag in tags)
        return best


class LeastConnections(RoundRobin):
    def pick(self, _source):
        least = min(self.open[tag] / self.weights[tag] for tag in self.weights)
        return self.best([tag for tag in self.weights if self.open[tag] / self.weights[tag] == least])


class Random(RoundRobin):
    def __init__(self, weights, seed=1):
        super().__init__(weights)
        self.chance = random.Random(seed)

    def pick(self, _source):
        return self.chance.choices(list(self.weights), list(self.weights.values()))[0]


class AddressHash(RoundRobin):
    def pick(self, source):
        lots = [tag for tag, weight in self.weights.items() for _ in range(weight)]
        return lots[zlib.crc32(source.encode()) % len(lots)]


def probed(states, weights, *, addresses=True, seed=1):
    """The rows of a probe of a balancer whose workers, numbered from 1, have these states, or all the same one."""
    chance, clock, paused = random.Random(seed), 0, max(weights, key=weights.get)
    cycle = sum(weights.values())
    sequential = range(cycle * max(2, -(-120 // cycle)))
    plan = [(phase, number, "127.0.0.1") for phase in (Phase.SETTLING, Phase.SEQUENTIAL) for number in sequential]
    plan += [(Phase.ADDRESSES, number, f"127.0.{number // 2}.1") for number in range(48 * addresses)]
    plan += [(Phase.SLOWED, number, "127.0.0.1") for number in range(cycle * max(2, -(-24 // cycle)))]
    rows = []
    for phase, number, source in plan:
        worker = chance.randrange(len(states))
        tag = states[worker].pick(source)
        clock += STEP_US
        stays = phase == Phase.SLOWED and tag == paused
        states[worker].open[tag] += stays
        latency_us = RESUMED_US if stays else ANSWER_US
        rows.append(Probed(phase, number, source, tag, 201, f"{phase}-{number}", clock, latency_us, 1 + worker, 1))
    return pd.DataFrame(rows, columns=header(Probed)).astype(dtypes_of(Probed))


def record(weights, configured=(Algorithm.SHARED,), **changed):
    return ProbeRecord(
        **{
            "stack": "local",
            "weights": weights,
            "configured": configured,
            "paused": max(weights, key=weights.get),
            "left_out": {},
            "foreign": 0,
        }
        | changed
    )
