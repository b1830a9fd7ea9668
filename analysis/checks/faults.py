"""Checks of a run with faults: what was predicted of each, and what came of it."""

from collections.abc import Iterator
from math import isfinite, isnan
from typing import Any

import pandas as pd

from analysis.checks.check import Check, Outcome
from analysis.evidence import Evidence
from analysis.faults.aftermath import Aftermath, handed_on
from analysis.faults.losses import NOBODY
from analysis.faults.outages import Night, Outage
from analysis.faults.prediction import RETURNED_AFTER_S
from analysis.faults.stages import Part, parts
from scenarios.fault import Kind
from scenarios.ledgers import BALANCER, FAULTS, RESPONSES

AFTERMATH_CSV = "aftermath.csv"
NAMED_IDS = 3
UNSEEN = {  # by passive checks: what such a backend does
    Kind.FAIL: "answers each POST with 503",
    Kind.UNHEALTHY: "fails its health check",
    Kind.LIMIT_CPU: "has less CPU than it needs",
}


def fault_checks(evidence: Evidence, aftermath: Aftermath | None, doubt: str) -> Iterator[Check]:
    """Test what was predicted of the faults of a run; nothing where it was to have none."""
    if not evidence.manifest.scenario.faults:
        return
    yield _brought_about(evidence)
    if aftermath is None:
        return
    unknown = _unknown(aftermath)
    for text, rows in _by_text(aftermath.table):
        yield _lost(text, rows)
        yield from _noticed(text, rows, unknown)
        yield from _left_alone(text, rows, unknown)
        yield from _returned(text, rows, unknown)
    yield from _dark(aftermath)
    yield _sent_twice(evidence, aftermath)
    yield from _unseen(evidence, aftermath)
    yield from (_split(part, doubt or unknown) for part in parts(evidence, aftermath))


def _unknown(aftermath: Aftermath) -> str:
    """Why nothing can be predicted of how this balancer forgives; empty when something can."""
    forgives = aftermath.patience.max_fails
    return "" if forgives == 1 else f"what is predicted is so with max_fails=1, and the configuration has {forgives}"


def _outcome(seen: str, doubt: str, *, held: bool) -> dict[str, Any]:
    """What was observed of a prediction, and what that means."""
    observed = f"{seen}; cannot tell: {doubt}" if doubt else seen
    return {"observed": observed, "outcome": Outcome.of(held=held, known=not doubt)}


def _brought_about(evidence: Evidence) -> Check:
    wanted, rows = evidence.manifest.scenario.faults, evidence.strikes
    done = rows[rows["failure"] == ""]
    stages = {number: fault.stage for number, fault in enumerate(wanted, start=1)}
    late = [stages[number] != stage for number, stage in zip(done["number"], done["stage"], strict=True)]
    faults = [
        *([f"{len(wanted) - len(done):,} were not"] if len(done) < len(wanted) else []),
        *([f"{sum(late):,} in a later stage"] if any(late) else []),
        *rows.loc[rows["failure"] != "", "failure"],
    ]
    return Check(
        name="faults",
        claim="Every fault of the scenario was brought about, each in its stage.",
        expected=f"{len(wanted):,}",
        observed="; ".join([f"{len(done):,}", *faults]),
        outcome=Outcome.INVALID if faults else Outcome.PASS,
        evidence=FAULTS,
    )


def _by_text(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """What was done to whom, and a row for each time that it was."""
    texts = (table["what"] + " " + table["whom"]).str.rstrip()
    for text in texts.drop_duplicates():
        yield str(text), table[texts == text]


def _lost(text: str, rows: pd.DataFrame) -> Check:
    lost, most = int(rows["lost"].sum()), int(rows["may_lose"].sum())
    held = bool((rows["lost"] <= rows["may_lose"]).all())
    return Check(
        name=f"lost by {text}",
        claim="No more requests are lost by it than have to be.",
        expected=f"at most {most:,}: {rows['because'].iloc[0]}",
        observed=f"{lost:,}",
        outcome=Outcome.of(held=held),
        evidence=AFTERMATH_CSV,
    )


def _noticed(text: str, rows: pd.DataFrame, unknown: str) -> Iterator[Check]:
    limited = rows[rows["noticed_within_s"].map(isfinite)]
    if len(limited):
        slowest_s, limit_s = limited["noticed_s"].max(), limited["noticed_within_s"].max()
        over = limited["well_after_s"] < limited["noticed_within_s"]  # it was well again before that
        held = bool((over | (limited["noticed_s"] <= limited["noticed_within_s"])).all())
        yield Check(
            name=f"noticed {text}",
            claim="The balancer leaves the backend alone as soon as it can know.",
            expected=f"within {limit_s:g} s",
            evidence=AFTERMATH_CSV,
            **_outcome(_after(slowest_s), unknown, held=held),
        )


def _left_alone(text: str, rows: pd.DataFrame, unknown: str) -> Iterator[Check]:
    known = rows[rows["may_be_asked"] > 0]
    if len(known):
        yield Check(
            name=f"left alone {text}",
            claim="While another lives, a backend that is known not to answer is asked only once in a while.",
            expected=f"at most {known['may_be_asked'].sum():,} times",
            evidence=AFTERMATH_CSV,
            **_outcome(
                f"{known['asked'].sum():,}", unknown, held=bool((known["asked"] <= known["may_be_asked"]).all())
            ),
        )


def _returned(text: str, rows: pd.DataFrame, unknown: str) -> Iterator[Check]:
    limited = rows[rows["returned_within_s"].map(isfinite) & rows["well_after_s"].notna()]
    if len(limited):
        slowest_s, limit_s = limited["returned_s"].max(skipna=False), limited["returned_within_s"].max()
        yield Check(
            name=f"returned {text}",
            claim="A backend that is well again gets requests again.",
            expected=f"within {limit_s:g} s",
            evidence=AFTERMATH_CSV,
            **_outcome(_after(slowest_s), unknown, held=slowest_s <= limit_s),
        )


def _after(seconds: float) -> str:
    return "not at all" if isnan(seconds) else f"after {seconds:.3f} s"


def _dark(aftermath: Aftermath) -> Iterator[Check]:
    if not aftermath.nights:
        return
    lost = aftermath.losses[aftermath.losses["fault"] == NOBODY]
    times = zip(lost["sent_s"], lost["ended_s"], strict=True)
    after_s = max((_after_a_night_s(sent_s, ended_s, aftermath.nights) for sent_s, ended_s in times), default=0.0)
    limit_s = aftermath.patience.fail_timeout_s + RETURNED_AFTER_S
    yield Check(
        name="lost in the dark",
        claim="Requests are turned away only while no backend lives, and at once.",
        expected=f"none more than {limit_s:g} s late, after the first is well again",
        observed=f"{len(lost):,}, {f'the last {after_s:.3f} s late' if after_s else 'none late'}",
        outcome=Outcome.of(held=after_s <= limit_s),
        evidence=AFTERMATH_CSV,
    )


def _after_a_night_s(sent_s: float, ended_s: float, nights: list[Night]) -> float:
    """How long after the last night that it has seen a request was sent; 0 within one."""
    return max(0.0, sent_s - max(night.until_s for night in nights if night.from_s <= ended_s))


def _sent_twice(evidence: Evidence, aftermath: Aftermath) -> Check:
    ids = evidence.ids.texts(handed_on(aftermath.tries))
    named = ", ".join(ids[:NAMED_IDS]) + (", …" if len(ids) > NAMED_IDS else "")
    return Check(
        name="sent twice",
        claim="No POST is sent to a second backend when it may have been sent to a first.",
        expected="0",
        observed=f"{len(ids):,}" + (f" ({named})" if ids else ""),
        outcome=Outcome.of(held=not ids),
        evidence=BALANCER,
    )


def _unseen(evidence: Evidence, aftermath: Aftermath) -> Iterator[Check]:
    """A finding: what passive checks cannot see keeps its share."""
    weights = evidence.manifest.claim.weights
    for outage in aftermath.outages:
        if outage.what not in UNSEEN:
            continue
        picks = aftermath.tries[aftermath.tries["from_s"].between(outage.broken_s, outage.cured_s)]
        share = len(picks) * weights[outage.whom] / sum(weights.values())
        took = int((picks["host_tag"] == outage.whom).sum())
        edges = 1 + evidence.manifest.scenario.peak_users  # picks at its beginning and end, in flight
        yield Check(
            name=f"unseen {outage.text}",
            claim=f"A finding: {outage.whom} {UNSEEN[outage.what]}, and keeps its share, for nobody looks at that.",
            expected=f"{share:,.0f} ± {edges:,} of {len(picks):,} requests",
            evidence=AFTERMATH_CSV,
            **_outcome(f"{took:,}", _not_shown(outage, picks, evidence.resources), held=abs(took - share) <= edges),
        )


def _not_shown(outage: Outage, picks: pd.DataFrame, resources: pd.DataFrame) -> str:
    """Why it is no finding that nobody looked; empty when it is one."""
    if picks.empty:
        return "no request came meanwhile"
    if outage.what is Kind.UNHEALTHY and not _was_called_unhealthy(outage, resources):
        return "the engine did not call it unhealthy meanwhile"
    return ""


def _was_called_unhealthy(outage: Outage, resources: pd.DataFrame) -> bool:
    meanwhile = (resources["at_us"] / 1e6).between(outage.broken_s, outage.cured_s)
    return bool((meanwhile & (resources["service"] == outage.whom) & (resources["health"] == "unhealthy")).any())


def _split(part: Part, doubt: str) -> Check:
    off = {tag: part.picks[tag] - part.shares[tag] for tag in part.picks}
    worst = max(off, key=lambda tag: abs(off[tag]) - part.allowed[tag])
    observed = f"{worst} {float(off[worst]):+,.2f} of ± {float(part.allowed[worst]):.2f}"
    return Check(
        name=f"split in {part.stage}",
        claim=f"In stage {part.stage} the balancer divides its picks exactly: {part.condition}.",
        expected=", ".join(
            f"{tag} {float(share):,.2f} ± {float(part.allowed[tag]):.2f}" for tag, share in part.shares.items()
        ),
        evidence=RESPONSES,
        **_outcome(observed, doubt, held=abs(off[worst]) <= part.allowed[worst]),
    )
