"""The deviation of each backend from its share during the run, as exactly as the balancer's log can tell.

nginx logs a request when it ends. A worker reads its clock once per turn of its event loop; everything in that turn
has the same stamp, in whole milliseconds. nginx picked the backend at or after the stamp at which it first read the
request, and in the turn in which it went to the backend, `upstream_response_s` before the end. So the pick came before
the next turn of the same worker, whose stamp is at most the next one in its log. At any moment a pick therefore had
certainly been made, had certainly not been made, or is uncertain, and a backend's deviation lies between a lowest and a
highest value.

While the claim holds, no two values of the true deviation differ by more than the bound (scenarios.spec.round_robin),
which holds for any consecutive picks. They certainly differ by more when a lowest value exceeds a highest value by more
than the bound.
"""

import numpy as np
import pandas as pd

from analysis.evidence.balancer_log import upstream_s
from analysis.evidence.evidence import Evidence

ROWS = 20_000  # of a backend
LOWEST, HIGHEST, SURELY_ABOVE, SURELY_BELOW = DEVIATIONS = ("lowest", "highest", "surely_above", "surely_below")


def running(evidence: Evidence, most_rows: int = ROWS) -> pd.DataFrame:
    """A row per backend of the claim and moment of a possible change, by `at_s`, seconds since the first stamp.

    The deviation, in requests, is the backend's count less its share of all picks. It lay from `lowest` to `highest`.
    If there are more than `most_rows` moments, successive moments share a row: at one of them the deviation was
    certainly at least `surely_above`, and at one of them certainly at most `surely_below`. In a row of one moment these
    two are equal to `lowest` and `highest`.
    """
    weights = evidence.manifest.claim.weights
    picks = _picks(evidence)
    if picks.empty:
        return pd.DataFrame(columns=["host_tag", "at_s", *DEVIATIONS]).astype(dict.fromkeys(DEVIATIONS, "float64"))
    moments = np.union1d(np.unique(picks["from_ms"]), np.unique(picks["until_ms"]))
    first = np.arange(0, len(moments), -(-len(moments) // most_rows))
    possible = _made_by(moments, picks["from_ms"].to_numpy())
    certain = _made_by(moments, picks["until_ms"].to_numpy())
    frames = []
    for tag, weight in weights.items():
        share, own = weight / sum(weights.values()), picks[picks["host_tag"] == tag]
        own_possible = _made_by(moments, own["from_ms"].to_numpy())
        own_certain = _made_by(moments, own["until_ms"].to_numpy())
        lowest = own_certain - share * (own_certain + possible - own_possible)
        highest = own_possible - share * (own_possible + certain - own_certain)
        frames.append(
            pd.DataFrame(
                {
                    "host_tag": tag,
                    "at_s": (moments[first] - moments[0]) / 1e3,
                    LOWEST: np.minimum.reduceat(lowest, first),
                    HIGHEST: np.maximum.reduceat(highest, first),
                    SURELY_ABOVE: np.maximum.reduceat(lowest, first),
                    SURELY_BELOW: np.minimum.reduceat(highest, first),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def swing(running: pd.DataFrame) -> pd.Series:
    """By backend, the requests by which its deviation certainly went up and down; it began at 0."""
    by_backend = running.groupby("host_tag", sort=False)
    return by_backend[SURELY_ABOVE].max().clip(lower=0) - by_backend[SURELY_BELOW].min().clip(upper=0)


def _picks(evidence: Evidence) -> pd.DataFrame:
    """A row per request that the balancer passed on, with the interval, in ms, in which it picked the backend."""
    log = evidence.balancer
    ended_ms = _whole_ms(log["ended_s"])
    begun_ms = ended_ms - _whole_ms(log["duration_s"])
    upstream_ms = _whole_ms(upstream_s(log, evidence.notation))
    until_ms = np.maximum(begun_ms, ended_ms - upstream_ms + 1)  # the two clocks tick apart
    del upstream_ms
    for worker in log["worker"].unique():
        own = (log["worker"] == worker).to_numpy()
        stamps = np.union1d(np.unique(begun_ms[own]), np.unique(ended_ms[own]))  # one by one: few of many remain
        stamps = np.append(stamps, [stamps[-1] + 1, stamps[-1] + 2])  # the last turn also ended
        after = np.searchsorted(stamps, until_ms[own], side="right")
        until_ms[own] = stamps[after] + 1  # a stamp is truncated to the millisecond
    passed_on = log["upstream_addresses"].str.contains(evidence.notation.asked, regex=True).to_numpy(dtype=bool)
    tags = log["host_tag"][passed_on]
    return pd.DataFrame({"host_tag": tags, "from_ms": begun_ms[passed_on], "until_ms": until_ms[passed_on]})


def _whole_ms(seconds: pd.Series | np.ndarray) -> np.ndarray:
    ms = np.asarray(seconds) * 1e3
    return np.rint(ms, out=ms).astype("int64")


def _made_by(moments: np.ndarray, at_ms: np.ndarray) -> np.ndarray:
    """The number of `at_ms` at or before each moment."""
    return np.searchsorted(np.sort(at_ms), moments, side="right")
