"""How far each backend was from its share while the run went on, as exactly as the balancer's log can tell.

nginx logs a request when it is over. It looks at its clock once in every turn of a worker's event loop; what happens
in that turn has the same stamp, in whole milliseconds. A backend was picked at or after the stamp at which the request
was first read, and in the turn in which nginx went to the backend, `$upstream_response_time` before the end. So it was
picked before the same worker's next turn, whose stamp is at most the next one in its log. At any moment each pick is
therefore certain to have been made, certain not to have been, or neither, and a backend's deviation lies between a
lowest and a highest value.

While the claim holds, no two values of the true deviation are further apart than the bound (scenarios.round_robin), for
it is one of any run of consecutive picks. They surely are when a lowest value is further than that above a highest.
"""

import numpy as np
import pandas as pd

from analysis.balancer_log import upstream_s
from analysis.evidence import Evidence

ROWS = 20_000  # of a backend
LOWEST, HIGHEST, SURELY_ABOVE, SURELY_BELOW = DEVIATIONS = ("lowest", "highest", "surely_above", "surely_below")


def running(evidence: Evidence, most_rows: int = ROWS) -> pd.DataFrame:
    """A row per backend of the claim and moment at which something may have changed, by `at_s` since the first stamp.

    `lowest` and `highest` are what the backend's count less its share of all picks can have been, in requests. Where
    there are more than `most_rows` moments, those that follow one another share a row: it was surely at least
    `surely_above` at one of them, and at most `surely_below` at one. In a row of a single moment these are the lowest
    and the highest again.
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
    """By backend, how many requests its deviation surely went up and down; it began at none."""
    by_backend = running.groupby("host_tag", sort=False)
    return by_backend[SURELY_ABOVE].max().clip(lower=0) - by_backend[SURELY_BELOW].min().clip(upper=0)


def _picks(evidence: Evidence) -> pd.DataFrame:
    """A row per request that was passed on, with the milliseconds between which its backend was picked."""
    log = evidence.balancer
    ended_ms = _whole_ms(log["msec"])
    begun_ms = ended_ms - _whole_ms(log["request_time"])
    upstream_ms = _whole_ms(upstream_s(log))
    until_ms = np.maximum(begun_ms, ended_ms - upstream_ms + 1)  # the two clocks tick apart
    del upstream_ms
    for pid in log["pid"].unique():
        own = (log["pid"] == pid).to_numpy()
        stamps = np.union1d(np.unique(begun_ms[own]), np.unique(ended_ms[own]))  # few of many, each by itself
        stamps = np.append(stamps, [stamps[-1] + 1, stamps[-1] + 2])  # the last turn has ended, too
        after = np.searchsorted(stamps, until_ms[own], side="right")
        until_ms[own] = stamps[after] + 1  # a stamp is cut off to the millisecond
    passed_on = log["upstream_addr"].str.contains(":", regex=False).to_numpy(dtype=bool)
    tags = log["upstream_http_x_host_tag"][passed_on]
    return pd.DataFrame({"host_tag": tags, "from_ms": begun_ms[passed_on], "until_ms": until_ms[passed_on]})


def _whole_ms(seconds: pd.Series | np.ndarray) -> np.ndarray:
    ms = np.asarray(seconds) * 1e3
    return np.rint(ms, out=ms).astype("int64")


def _made_by(moments: np.ndarray, at_ms: np.ndarray) -> np.ndarray:
    """How many of these had come by each moment."""
    return np.searchsorted(np.sort(at_ms), moments, side="right")
