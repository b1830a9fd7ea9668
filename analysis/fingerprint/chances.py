"""How likely the picks of a probe would be if each were independent of those before."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from math import comb, factorial, prod

from analysis.fingerprint.probe import Probe, windows


def chance_of_runs(probe: Probe) -> float:
    """The chance, at most, of runs in turn as long as the longest here, although picks are independent.

    A run may begin anywhere, and be one of all picks or of each worker's: the chances of all these are added up.
    """
    together, each = (
        prod(min(Fraction(1), len(picks) * chance_of_turn(probe, longest_turn(probe, picks))) for picks in sequences)
        for sequences in ([probe.picks], probe.picks_of_workers)
    )
    return float(min(Fraction(1), 2 * min(together, each)))


def longest_turn(probe: Probe, picks: Sequence[str]) -> int:
    """The length of the longest run in which every window of W picks holds exactly the weights."""
    longest = exact = 0
    for window in windows(picks, probe.length):
        exact = exact + 1 if Counter(window) == probe.cycle else 0
        longest = max(longest, exact)
    return longest + probe.length - 1 if longest else 0


def chance_of_turn(probe: Probe, picks: int) -> Fraction:
    """The chance, at most, that every window of W of so many picks is exact although picks are independent.

    All windows are exact only where the first W picks are, and all that follow repeat them, which has the chance
    `W! / (w1! w2! …) * (p1^w1 p2^w2 …)^(picks/W)`. Picks beyond whole cycles are left out, which can only raise it.
    """
    cycles = picks // probe.length
    arrangements = Fraction(factorial(probe.length), prod(map(factorial, probe.cycle.values())))
    once = prod(Fraction(step, probe.length) ** step for step in probe.cycle.values())
    return arrangements * once**cycles if cycles else Fraction(1)


def chance_of_counts(probe: Probe, picks: Sequence[str]) -> float:
    """The chance, at most, of counts as far from the weights as these, although picks are independent.

    An exact two-sided binomial test of each backend's count, the smallest chance times the number of backends.
    """
    shares = {tag: Fraction(step, probe.length) for tag, step in probe.cycle.items()}
    least = min(_binomial(picks.count(tag), len(picks), share) for tag, share in shares.items())
    return float(min(Fraction(1), least * len(shares)))


def _binomial(count: int, picks: int, share: Fraction) -> Fraction:
    """The two-sided chance of a count: twice the smaller tail."""
    chances = [comb(picks, hits) * share**hits * (1 - share) ** (picks - hits) for hits in range(picks + 1)]
    return min(Fraction(1), 2 * min(sum(chances[: count + 1], Fraction(0)), sum(chances[count:], Fraction(0))))
