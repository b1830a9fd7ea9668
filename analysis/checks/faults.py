"""Checks of a run with faults: what was predicted of each, and what came of it."""

from collections.abc import Iterator
from math import isfinite, isnan

import pandas as pd

from analysis.checks import sources
from analysis.checks.check import Check, CheckKind, Outcome
from analysis.checks.stage_split import predicted_split
from analysis.checks.undetected import undetected_faults
from analysis.evidence.evidence import Evidence
from analysis.faults.aftermath import Aftermath, handed_on
from analysis.faults.losses import BY_BLACKOUT
from analysis.faults.outages import Blackout
from analysis.faults.prediction import RETURNED_AFTER_S
from analysis.faults.stages import parts
from scenarios.formats.columns import Column

NAMED_IDS = 3

FAULTS = CheckKind(
    title="faults",
    claim="Every fault of the scenario was brought about, each in its stage.",
    meaning="A fault was not brought about, or at another time, so the run does not show what it was to show.",
    evidence=sources.FAULTS,
)
LOST_BY = CheckKind(
    title="lost by",
    claim="The fault costs no more requests than it has to.",
    meaning="A fault costs users more than it has to.",
    evidence=sources.AFTERMATH,
    is_prediction=True,
)
NOTICED = CheckKind(
    title="noticed",
    claim="The balancer leaves the backend alone as soon as it can know that it does not answer.",
    meaning="Requests go on to a backend that cannot answer them, one after the other.",
    evidence=sources.AFTERMATH,
    is_prediction=True,
)
LEFT_ALONE = CheckKind(
    title="left alone",
    claim="While another backend lives, one that is known not to answer is asked once in a fail_timeout at most.",
    meaning="Users wait again and again for a backend that the balancer knows not to answer.",
    evidence=sources.AFTERMATH,
    is_prediction=True,
)
RETURNED = CheckKind(
    title="returned",
    claim="A backend that is well again gets requests again.",
    meaning="A backend that could do its part is left out, and the others carry it.",
    evidence=sources.AFTERMATH,
    is_prediction=True,
)
LOST_IN_BLACKOUT = CheckKind(
    title="lost in blackout",
    claim="The balancer turns requests away only while all backends are down, and until it has to ask one again.",
    meaning="Users are turned away although a backend could answer them.",
    evidence=sources.AFTERMATH,
    is_prediction=True,
)
SENT_TWICE = CheckKind(
    title="sent twice",
    claim="No {detail} is sent to a second backend when it may have been sent to a first.",
    meaning="A request may have taken effect twice, which does damage where it is an order or a payment.",
    evidence=sources.BALANCER,
    is_prediction=True,
)
KINDS = (FAULTS, LOST_BY, NOTICED, LEFT_ALONE, RETURNED, LOST_IN_BLACKOUT, SENT_TWICE)


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
    yield from _lost_in_blackout(aftermath)
    yield _sent_twice(evidence, aftermath)
    yield from undetected_faults(evidence, aftermath)
    yield from (predicted_split(part, doubt or unknown) for part in parts(evidence, aftermath))


def _unknown(aftermath: Aftermath) -> str:
    """Why nothing is predicted of how this balancer treats a failed backend; empty when something is."""
    forgives = aftermath.patience.max_fails
    return "" if forgives == 1 else f"the predictions are for max_fails=1, and the configuration has {forgives}"


def _predicted(kind: CheckKind, text: str, expected: str, seen: str, doubt: str, *, held: bool) -> Check:  # noqa: PLR0913
    """A check of what was predicted of a fault; `doubt` is why that cannot be judged, if so."""
    observed = f"{seen}; cannot tell: {doubt}" if doubt else seen
    outcome = Outcome.of(held=held, known=not doubt)
    return Check(kind=kind, subject=text, expected=expected, observed=observed, outcome=outcome)


def _brought_about(evidence: Evidence) -> Check:
    wanted, rows = evidence.manifest.scenario.faults, evidence.applied_faults
    done = rows[rows[Column.FAILURE] == ""]
    stages = {number: fault.stage for number, fault in enumerate(wanted, start=1)}
    late = [stages[number] != stage for number, stage in zip(done[Column.NUMBER], done[Column.STAGE], strict=True)]
    faults = [
        *([f"{len(wanted) - len(done):,} were not"] if len(done) < len(wanted) else []),
        *([f"{sum(late):,} in a later stage"] if any(late) else []),
        *rows.loc[rows[Column.FAILURE] != "", Column.FAILURE],
    ]
    return Check(
        kind=FAULTS,
        expected=f"{len(wanted):,}",
        observed="; ".join([f"{len(done):,}", *faults]),
        outcome=Outcome.INVALID if faults else Outcome.PASS,
    )


def _by_text(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """What was done to which service, and a row for each time that it was."""
    texts = (table[Column.KIND] + " " + table[Column.BACKEND]).str.rstrip()
    for text in texts.drop_duplicates():
        yield str(text), table[texts == text]


def _lost(text: str, rows: pd.DataFrame) -> Check:
    lost, most = int(rows[Column.LOST].sum()), int(rows[Column.MAY_LOSE].sum())
    held = bool((rows[Column.LOST] <= rows[Column.MAY_LOSE]).all())
    return _predicted(LOST_BY, text, f"at most {most:,}: {rows[Column.BECAUSE].iloc[0]}", f"{lost:,}", "", held=held)


def _noticed(text: str, rows: pd.DataFrame, unknown: str) -> Iterator[Check]:
    limited = rows[rows[Column.NOTICED_WITHIN_S].map(isfinite)]
    if len(limited):
        slowest_s, limit_s = limited[Column.NOTICED_S].max(), limited[Column.NOTICED_WITHIN_S].max()
        over = limited[Column.WELL_AFTER_S] < limited[Column.NOTICED_WITHIN_S]  # it was well again before that
        held = bool((over | (limited[Column.NOTICED_S] <= limited[Column.NOTICED_WITHIN_S])).all())
        yield _predicted(NOTICED, text, f"within {limit_s:g} s", _after(slowest_s), unknown, held=held)


def _left_alone(text: str, rows: pd.DataFrame, unknown: str) -> Iterator[Check]:
    known = rows[rows[Column.MAY_BE_ASKED] > 0]
    if len(known):
        expected, held = (
            f"at most {known[Column.MAY_BE_ASKED].sum():,}",
            known[Column.ASKED] <= known[Column.MAY_BE_ASKED],
        )
        yield _predicted(LEFT_ALONE, text, expected, f"{known[Column.ASKED].sum():,}", unknown, held=bool(held.all()))


def _returned(text: str, rows: pd.DataFrame, unknown: str) -> Iterator[Check]:
    limited = rows[rows[Column.RETURNED_WITHIN_S].map(isfinite) & rows[Column.WELL_AFTER_S].notna()]
    if len(limited):
        slowest_s, limit_s = limited[Column.RETURNED_S].max(skipna=False), limited[Column.RETURNED_WITHIN_S].max()
        held = bool(slowest_s <= limit_s)
        yield _predicted(RETURNED, text, f"within {limit_s:g} s", _after(slowest_s), unknown, held=held)


def _after(seconds: float) -> str:
    return "not at all" if isnan(seconds) else f"after {seconds:.3f} s"


def _lost_in_blackout(aftermath: Aftermath) -> Iterator[Check]:
    if not aftermath.blackouts:
        return
    lost = aftermath.losses[aftermath.losses[Column.FAULT] == BY_BLACKOUT]
    times = zip(lost[Column.SENT_S], lost[Column.ENDED_S], strict=True)
    late_s = max((_late_s(sent_s, ended_s, aftermath.blackouts) for sent_s, ended_s in times), default=0.0)
    limit_s = aftermath.patience.fail_timeout_s + RETURNED_AFTER_S
    yield Check(
        kind=LOST_IN_BLACKOUT,
        expected=f"none more than {limit_s:g} s late, from when the first backend is well again",
        observed=f"{len(lost):,}, {f'the last {late_s:.3f} s late' if late_s else 'none late'}",
        outcome=Outcome.of(held=late_s <= limit_s),
    )


def _late_s(sent_s: float, ended_s: float, blackouts: list[Blackout]) -> float:
    """How long after the last blackout that it met a request was sent; 0 within one."""
    return max(0.0, sent_s - max(blackout.until_s for blackout in blackouts if blackout.from_s <= ended_s))


def _sent_twice(evidence: Evidence, aftermath: Aftermath) -> Check:
    ids, target = evidence.ids.texts(handed_on(aftermath.attempts)), evidence.manifest.target
    named = ", ".join(ids[:NAMED_IDS]) + (", …" if len(ids) > NAMED_IDS else "")
    return Check(
        kind=SENT_TWICE,
        detail=target.method,
        expected=f"any number: a {target.method} may be repeated" if target.may_be_repeated else "0",
        observed=f"{len(ids):,}" + (f" ({named})" if ids else ""),
        outcome=Outcome.UNTESTED if target.may_be_repeated else Outcome.of(held=not ids),
    )
