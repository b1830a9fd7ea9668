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
from scenarios.formats.columns import Column

ROWS = 20_000  # of a backend
LOWEST, HIGHEST, REACHED_AT_LEAST, REACHED_AT_MOST = DEVIATIONS = (
    Column.LOWEST,
    Column.HIGHEST,
    Column.REACHED_AT_LEAST,
    Column.REACHED_AT_MOST,
)


def running(evidence: Evidence, most_rows: int = ROWS) -> pd.DataFrame:
    """A row per backend of the claim and moment of a possible change, by `at_s`, seconds since the first stamp.

    The deviation, in requests, is the backend's count less its share of all picks. It lay from `lowest` to `highest`.
    If there are more than `most_rows` moments, successive moments share a row: at one of them the deviation was
    certainly at least `reached_at_least`, and at one of them certainly at most `reached_at_most`. In a row of one
    moment these two are equal to `lowest` and `highest`.
    """
    weights = evidence.manifest.claim.weights
    picks = _picks(evidence)
    if picks.empty:
        return pd.DataFrame(columns=[Column.HOST_TAG, Column.AT_S, *DEVIATIONS]).astype(
            dict.fromkeys(DEVIATIONS, "float64")
        )
    moments = np.union1d(np.unique(picks[Column.FROM_MS]), np.unique(picks[Column.UNTIL_MS]))
    first = np.arange(0, len(moments), -(-len(moments) // most_rows))
    possible = _made_by(moments, picks[Column.FROM_MS].to_numpy())
    certain = _made_by(moments, picks[Column.UNTIL_MS].to_numpy())
    frames = []
    for tag, weight in weights.items():
        share, own = weight / sum(weights.values()), picks[picks[Column.HOST_TAG] == tag]
        own_possible = _made_by(moments, own[Column.FROM_MS].to_numpy())
        own_certain = _made_by(moments, own[Column.UNTIL_MS].to_numpy())
        lowest = own_certain - share * (own_certain + possible - own_possible)
        highest = own_possible - share * (own_possible + certain - own_certain)
        frames.append(
            pd.DataFrame(
                {
                    Column.HOST_TAG: tag,
                    Column.AT_S: (moments[first] - moments[0]) / 1e3,
                    LOWEST: np.minimum.reduceat(lowest, first),
                    HIGHEST: np.maximum.reduceat(highest, first),
                    REACHED_AT_LEAST: np.maximum.reduceat(lowest, first),
                    REACHED_AT_MOST: np.minimum.reduceat(highest, first),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def swing(running: pd.DataFrame) -> pd.Series:
    """By backend, the requests by which its deviation certainly went up and down; it began at 0."""
    by_backend = running.groupby(Column.HOST_TAG, sort=False)
    return by_backend[REACHED_AT_LEAST].max().clip(lower=0) - by_backend[REACHED_AT_MOST].min().clip(upper=0)


def _picks(evidence: Evidence) -> pd.DataFrame:
    """A row per request that the balancer passed on, with the interval, in ms, in which it picked the backend."""
    log = evidence.balancer
    ended_ms = _whole_ms(log[Column.ENDED_S])
    begun_ms = ended_ms - _whole_ms(log[Column.DURATION_S])
    upstream_ms = _whole_ms(upstream_s(log, evidence.notation))
    until_ms = np.maximum(begun_ms, ended_ms - upstream_ms + 1)  # the two clocks tick apart
    del upstream_ms
    for worker in log[Column.WORKER].unique():
        own = (log[Column.WORKER] == worker).to_numpy()
        stamps = np.union1d(np.unique(begun_ms[own]), np.unique(ended_ms[own]))  # one by one: few of many remain
        stamps = np.append(stamps, [stamps[-1] + 1, stamps[-1] + 2])  # the last turn also ended
        after = np.searchsorted(stamps, until_ms[own], side="right")
        until_ms[own] = stamps[after] + 1  # a stamp is truncated to the millisecond
    passed_on = log[Column.UPSTREAM_ADDRESSES].str.contains(evidence.notation.asked, regex=True).to_numpy(dtype=bool)
    tags = log[Column.HOST_TAG][passed_on]
    return pd.DataFrame(
        {Column.HOST_TAG: tags, Column.FROM_MS: begun_ms[passed_on], Column.UNTIL_MS: until_ms[passed_on]}
    )


def _whole_ms(seconds: pd.Series | np.ndarray) -> np.ndarray:
    ms = np.asarray(seconds) * 1e3
    return np.rint(ms, out=ms).astype("int64")


def _made_by(moments: np.ndarray, at_ms: np.ndarray) -> np.ndarray:
    """The number of `at_ms` at or before each moment."""
    return np.searchsorted(np.sort(at_ms), moments, side="right")
