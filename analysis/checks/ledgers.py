"""Checks of the ledgers: whether they agree, and whether what the exact bound presupposes was so."""

from collections.abc import Iterator

import pandas as pd

from analysis.checks import differences as of_differences
from analysis.checks import sources
from analysis.checks.check import Check, CheckKind, Outcome
from analysis.checks.differences import SplitEffect, difference_check
from analysis.evidence.balancer_log import took_one
from analysis.evidence.evidence import Evidence
from analysis.faults.accounting import Account
from analysis.measures.matching import Matching
from analysis.measures.reconciliation import Difference
from scenarios.formats.columns import Column
from scenarios.formats.rows import AFTER, BEFORE
from scenarios.formats.stack_record import STACK
from scenarios.spec.target import Target

CLOCKS_APART_S = 1.0

BALANCER = CheckKind(
    title="balancer",
    claim="The balancer was reloaded or restarted no more than asked, which would begin its cycle anew.",
    meaning="The cycle began anew in the middle of the run; the exact bound says nothing about two halves.",
    evidence=sources.STACK,
)
LOG = CheckKind(
    title="log",
    claim="The balancer's log of this run is whole.",
    meaning="The balancer's log is incomplete, so some picks are unknown.",
    evidence=sources.BALANCER,
)
CLOCKS = CheckKind(
    title="clocks",
    claim="By both clocks the balancer received each request after it was sent, and ended it before the answer came.",
    meaning="Times of client and balancer cannot be compared, and rows of another run may have been mixed in.",
    evidence=sources.BALANCER,
)
COUNTERS = CheckKind(
    title="counters",
    claim="Every backend has counted from the beginning of the run to its end.",
    meaning="What a backend processed during the run is not known.",
    evidence=sources.BACKENDS,
)
IDENTITY = CheckKind(
    title="identity",
    claim="Every backend answers under its own name.",
    meaning="An answer may come from another backend than the one whose name it bears.",
    evidence=sources.BACKENDS,
)
LEDGERS = CheckKind(
    title="ledgers",
    claim="Client, balancer and backend agree on how many requests were answered as expected: {detail}.",
    meaning="One of client, balancer and backend is wrong about how much work was done.",
    evidence=sources.RECONCILIATION,
)
KINDS = (BALANCER, LOG, CLOCKS, COUNTERS, IDENTITY, LEDGERS)


def ledger_checks(
    evidence: Evidence, matching: Matching, reconciliation: pd.DataFrame, differences: pd.DataFrame, account: Account
) -> Iterator[Check]:
    """Test that the three ledgers agree, but for what faults account for: the `differences` are without those.

    Where only the client's was kept, there is nothing to test.
    """
    if STACK in evidence.missing:
        return
    if evidence.stack is None:
        yield Check(
            kind=LEDGERS,
            detail=_right_answers(evidence.manifest.target),
            expected="three ledgers",
            observed="only the client's: `make` starts Locust so that the others are kept, too",
            outcome=Outcome.UNTESTED,
        )
        return
    log = _log(evidence)
    yield _standing(evidence, account)
    yield log
    yield _clocks(evidence, matching)
    yield _counters(evidence, account)
    yield _identity(evidence, account)
    sound = log.outcome is Outcome.PASS and not matching.sent_again and not of_differences.of_requests(differences)
    lasting = [tag for tag in evidence.manifest.claim.weights if tag not in account.ended]
    counted = bool(reconciliation[Column.PROCESSED].reindex(lasting).notna().all())
    for kind in of_differences.KINDS:
        yield difference_check(kind, differences, sound=sound, known=counted or not kind.needs_counters)
    target = evidence.manifest.target
    yield from _agreement(reconciliation.loc[lasting], differences, account, target, sound=sound)


def broken_preconditions(evidence: Evidence, differences: pd.DataFrame, account: Account) -> list[str]:
    """Why the exact bound of weighted round-robin says nothing about this run; empty when it does."""
    if evidence.stack is None:
        return []
    moving = [kind for kind in of_differences.KINDS if kind.effect is not SplitEffect.NONE]
    of_requests = [difference_check(kind, differences, sound=True) for kind in moving]
    checks = [_standing(evidence, account), _log(evidence), *of_requests]
    return [f"{check.name}: {check.observed}" for check in checks if check.outcome is not Outcome.PASS]


def clock_went_back(evidence: Evidence) -> bool:
    """Whether a worker logged a request with an earlier time than the one before: its clock was set back meanwhile."""
    return bool((evidence.balancer.groupby(Column.WORKER)[Column.ENDED_S].diff() < 0).any())


def _standing(evidence: Evidence, account: Account) -> Check:
    assert evidence.stack is not None
    before, after = evidence.stack.before, evidence.stack.after
    expected = f"{'other' if account.other_workers else 'the same'} workers, the same configuration"
    changed = [] if before is not None and after is not None else ["it did not say"]
    if before is not None and after is not None:
        if (before.workers != after.workers) != account.other_workers:
            changed.append(f"the workers were {_numbers(before.workers)}, then {_numbers(after.workers)}")
        if before.configuration != after.configuration:
            changed.append("its configuration was changed")
    return _valid(BALANCER, expected, changed, expected)


def _valid(kind: CheckKind, expected: str, faults: list[str], sound: str) -> Check:
    """A check of what the other checks rest on: with a fault this run cannot tell."""
    outcome = Outcome.INVALID if faults else Outcome.PASS
    return Check(kind=kind, expected=expected, observed="; ".join(faults) or sound, outcome=outcome)


def _numbers(pids: list[int]) -> str:
    return ", ".join(map(str, pids)) or "none"


def _log(evidence: Evidence) -> Check:
    begun_s = evidence.manifest.started_at.timestamp() - CLOCKS_APART_S
    early = int((evidence.balancer[Column.ENDED_S] < begun_s).sum())
    faults = [
        *([f"{evidence.damaged:,} lines are damaged"] if evidence.damaged else []),
        *([f"{early:,} lines are from before the run"] if early else []),
        *(["it is empty"] if evidence.balancer.empty and len(evidence.responses) else []),
    ]
    return _valid(LOG, "no damaged line, none from before the run", faults, f"{len(evidence.balancer):,} rows")


def _clocks(evidence: Evidence, matching: Matching) -> Check:
    client, log = evidence.responses, evidence.balancer
    sent_s, read_s = (
        client[Column.SENT_US] / 1e6,
        (client[Column.SENT_US] + client[Column.LATENCY_US] + client[Column.LATE_US]) / 1e6,
    )
    early_s = (
        sent_s.to_numpy()[matching.client]
        - (log[Column.ENDED_S] - log[Column.DURATION_S]).to_numpy()[matching.balancer]
    )
    late_s = log[Column.ENDED_S].to_numpy()[matching.balancer] - read_s.to_numpy()[matching.client]
    apart_s = max(early_s.max(initial=0.0), late_s.max(initial=0.0))
    apart = f"{apart_s:.3f} s apart"
    faults = [
        *(["the balancer's was set back"] if clock_went_back(evidence) else []),
        *([apart] if apart_s > CLOCKS_APART_S else []),
    ]
    return _valid(CLOCKS, f"at most {CLOCKS_APART_S:g} s apart", faults, apart)


def _counters(evidence: Evidence, account: Account) -> Check:
    rows = evidence.processed
    silent = [
        f"{service} did not say {moment} the run"
        for moment in (BEFORE, AFTER)
        for service in evidence.manifest.claim.weights
        if service not in set(rows.loc[rows[Column.MOMENT] == moment, Column.SERVICE])
    ]
    begun = rows.groupby(Column.SERVICE, sort=False)[Column.STARTED_US].nunique()
    anew = [service for service in begun.index[begun > 1] if service not in account.ended]
    expected = f"no restart but of {', '.join(sorted(account.ended))}" if account.ended else "no restart"
    faults = silent + [f"{service} began anew" for service in anew]
    return _valid(COUNTERS, expected, faults, "no other" if account.ended else "none")


def _identity(evidence: Evidence, account: Account) -> Check:
    rows = evidence.processed.drop_duplicates([Column.SERVICE, Column.HOST_TAG])
    wrong = rows[rows[Column.HOST_TAG] != rows[Column.SERVICE]]
    addresses = evidence.balancer[[Column.UPSTREAM_ADDRESSES, Column.HOST_TAG]].drop_duplicates()
    answered = addresses[took_one(addresses[Column.UPSTREAM_ADDRESSES], evidence.notation)]
    tags, nothing = answered[Column.HOST_TAG], evidence.notation.nothing
    right = evidence.balancer[Column.STATUS].isin(evidence.manifest.target.expected_statuses)
    unnamed = evidence.balancer[right & (evidence.balancer[Column.HOST_TAG] == nothing)]
    shared = [tag for tag in tags[tags.duplicated() & (tags != nothing)].unique() if tag not in account.ended]
    said = [
        *(
            f"{service} answers {f'as {tag}' if tag else 'without a name'}"
            for service, tag in zip(wrong[Column.SERVICE], wrong[Column.HOST_TAG], strict=True)
        ),
        *(f"{tag} answers at {', '.join(answered.loc[tags == tag, Column.UPSTREAM_ADDRESSES])}" for tag in shared),
        *(f"answers from {address} have no name" for address in unnamed[Column.UPSTREAM_ADDRESSES].unique()),
    ]
    return Check(
        kind=IDENTITY,
        expected=", ".join(evidence.manifest.claim.weights),
        observed="; ".join(said) or ", ".join(rows[Column.HOST_TAG]) or "no backend said its name",
        outcome=Outcome.of(held=not said, known=len(rows) > 0),
    )


def _agreement(
    reconciliation: pd.DataFrame, differences: pd.DataFrame, account: Account, target: Target, *, sound: bool
) -> Iterator[Check]:
    """By backend. What another client caused, or the client forgot, is not the balancer's doing."""
    unasked = set(differences.loc[differences[Column.DIFFERENCE] == Difference.UNASKED, Column.HOST_TAG])
    for tag, client, balancer, processed in reconciliation[
        [Column.CLIENT, Column.BALANCER, Column.PROCESSED]
    ].itertuples():
        spare, answered = account.done_in_vain(tag), account.answered.get(tag, 0)
        # the balancer logs an answer that was cut off as it began, and not what it had answered when it was killed
        agreed = client - answered <= balancer <= processed <= client + spare
        cut_off, said = spare + answered, f"{processed:,.0f}" if pd.notna(processed) else "not known"
        yield Check(
            kind=LEDGERS,
            subject=tag,
            detail=_right_answers(target),
            expected="all three counts equal" + (f", but for {cut_off:,} that a fault cut off" if cut_off else ""),
            observed=f"client {client:,.0f}, balancer {balancer:,.0f}, backend {said}",
            outcome=Outcome.of(held=agreed, known=agreed or (pd.notna(processed) and sound and tag not in unasked)),
        )


def _right_answers(target: Target) -> str:
    return f"{target.text} with {target.statuses_text}"
