"""Checks of the ledgers: whether they agree, and whether what the exact bound presupposes was so."""

from collections.abc import Iterator

import pandas as pd

from analysis.checks.check import Check, Outcome
from analysis.checks.rules import DISTURBANCES, OF_COUNTERS, RULES
from analysis.evidence import Evidence
from analysis.faults.accounting import Account
from analysis.matching import Matching
from analysis.reconciliation import Difference
from scenarios.ledgers import AFTER, BACKENDS, BALANCER, BEFORE
from scenarios.model import CREATED
from scenarios.stack_record import STACK

CLOCKS_APART_S = 1.0
NAMED_IDS = 3
ONE_ADDRESS = r"[^,\s]+:\d+"
DIFFERENCES_CSV, RECONCILIATION_CSV = "differences.csv", "reconciliation.csv"


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
            name="ledgers",
            claim="Client, balancer and backends agree on every request.",
            expected="three ledgers",
            observed="only the client's: `make` starts Locust so that the others are kept, too",
            outcome=Outcome.UNTESTED,
            evidence=RECONCILIATION_CSV,
        )
        return
    yield _standing(evidence, account)
    yield _log(evidence)
    yield _clocks(evidence, matching)
    yield _counters(evidence, account)
    yield _identity(evidence, account)
    sound = _log(evidence).outcome is Outcome.PASS and not _is_disturbed(matching, differences)
    lasting = [tag for tag in evidence.manifest.claim.weights if tag not in account.ended]
    counted = bool(reconciliation["processed"].reindex(lasting).notna().all())
    for kind in Difference:
        yield _difference(kind, differences, sound=sound, known=counted or kind not in OF_COUNTERS)
    yield from _agreement(reconciliation.loc[lasting], differences, account, sound=sound)


def broken_preconditions(evidence: Evidence, differences: pd.DataFrame, account: Account) -> list[str]:
    """Why the exact bound of weighted round-robin says nothing about this run; empty when it does."""
    if evidence.stack is None:
        return []
    of_run = [_standing(evidence, account), _log(evidence)]
    of_requests = [_difference(kind, differences, sound=True) for kind, rule in RULES.items() if rule.moves_the_split]
    return [f"{check.name}: {check.observed}" for check in (*of_run, *of_requests) if check.outcome is not Outcome.PASS]


def _is_disturbed(matching: Matching, differences: pd.DataFrame) -> bool:
    """Whether the ledgers are not of the same requests, so that what one has too much of proves nothing."""
    return bool(matching.sent_again or differences["difference"].isin(DISTURBANCES).any())


def clock_went_back(evidence: Evidence) -> bool:
    """Whether a worker logged a request with an earlier time than the one before: its clock was set back meanwhile."""
    return bool((evidence.balancer.groupby("pid")["msec"].diff() < 0).any())


def _standing(evidence: Evidence, account: Account) -> Check:
    assert evidence.stack is not None
    before, after = evidence.stack.before, evidence.stack.after
    known = before is not None and after is not None
    changed = []
    if before is not None and after is not None:
        if (before.workers != after.workers) != account.other_workers:
            changed.append(f"the workers were {_numbers(before.workers)}, then {_numbers(after.workers)}")
        if before.configuration != after.configuration:
            changed.append("its configuration was changed")
    return Check(
        name="balancer",
        claim="The balancer was reloaded or restarted no more than asked, which would begin its cycle anew.",
        expected=f"{'other' if account.other_workers else 'the same'} workers, the same configuration",
        observed=("; ".join(changed) or "so") if known else "it did not say",
        outcome=Outcome.PASS if known and not changed else Outcome.INVALID,
        evidence=STACK,
    )


def _numbers(pids: list[int]) -> str:
    return ", ".join(map(str, pids)) or "none"


def _log(evidence: Evidence) -> Check:
    begun_s = evidence.manifest.started_at.timestamp() - CLOCKS_APART_S
    early = int((evidence.balancer["msec"] < begun_s).sum())
    faults = [
        *([f"{evidence.damaged:,} lines are damaged"] if evidence.damaged else []),
        *([f"{early:,} lines are from before the run"] if early else []),
        *(["it is empty"] if evidence.balancer.empty and len(evidence.responses) else []),
    ]
    return Check(
        name="log",
        claim="The balancer's log of this run is whole.",
        expected="nothing damaged, nothing from before",
        observed="; ".join(faults) or f"{len(evidence.balancer):,} rows",
        outcome=Outcome.INVALID if faults else Outcome.PASS,
        evidence=BALANCER,
    )


def _clocks(evidence: Evidence, matching: Matching) -> Check:
    client, log = evidence.responses, evidence.balancer
    sent_s, read_s = client["sent_us"] / 1e6, (client["sent_us"] + client["latency_us"] + client["late_us"]) / 1e6
    early_s = sent_s.to_numpy()[matching.client] - (log["msec"] - log["request_time"]).to_numpy()[matching.balancer]
    late_s = log["msec"].to_numpy()[matching.balancer] - read_s.to_numpy()[matching.client]
    apart_s = max(early_s.max(initial=0.0), late_s.max(initial=0.0))
    faults = [
        *(["the balancer's was set back"] if clock_went_back(evidence) else []),
        *([f"{apart_s:.3f} s apart"] if apart_s > CLOCKS_APART_S else []),
    ]
    return Check(
        name="clocks",
        claim="By both clocks the balancer had a request after it was sent, and was done before the answer was there.",
        expected=f"to {CLOCKS_APART_S:g} s",
        observed="; ".join(faults) or "so",
        outcome=Outcome.INVALID if faults else Outcome.PASS,
        evidence=BALANCER,
    )


def _counters(evidence: Evidence, account: Account) -> Check:
    rows = evidence.processed
    silent = [
        f"{service} did not say {moment} the run"
        for moment in (BEFORE, AFTER)
        for service in evidence.manifest.claim.weights
        if service not in set(rows.loc[rows["moment"] == moment, "service"])
    ]
    begun = rows.groupby("service", sort=False)["started_us"].nunique()
    anew = [service for service in begun.index[begun > 1] if service not in account.ended]
    faults = silent + [f"{service} began anew" for service in anew]
    return Check(
        name="counters",
        claim="Every backend has counted from the beginning of the run to its end.",
        expected=f"no restart but of {', '.join(sorted(account.ended))}" if account.ended else "no restart",
        observed="; ".join(faults) or "none",
        outcome=Outcome.INVALID if faults else Outcome.PASS,
        evidence=BACKENDS,
    )


def _identity(evidence: Evidence, account: Account) -> Check:
    rows = evidence.processed.drop_duplicates(["service", "host_tag"])
    wrong = rows[rows["host_tag"] != rows["service"]]
    addresses = evidence.balancer[["upstream_addr", "upstream_http_x_host_tag"]].drop_duplicates()
    answered = addresses[addresses["upstream_addr"].str.fullmatch(ONE_ADDRESS)]
    tags = answered["upstream_http_x_host_tag"]
    unsigned = evidence.balancer[
        (evidence.balancer["status"] == CREATED) & (evidence.balancer["upstream_http_x_host_tag"] == "-")
    ]
    shared = [tag for tag in tags[tags.duplicated() & (tags != "-")].unique() if tag not in account.ended]
    said = [
        *(
            f"{service} answers as {tag or 'nobody'}"
            for service, tag in zip(wrong["service"], wrong["host_tag"], strict=True)
        ),
        *(f"{tag} answers at {', '.join(answered.loc[tags == tag, 'upstream_addr'])}" for tag in shared),
        *(f"nobody signs what {address} answers" for address in unsigned["upstream_addr"].unique()),
    ]
    return Check(
        name="identity",
        claim="Every backend answers under its own name.",
        expected=", ".join(evidence.manifest.claim.weights),
        observed="; ".join(said) or "so",
        outcome=Outcome.of(held=not said, known=len(rows) > 0),
        evidence=BACKENDS,
    )


def _difference(kind: Difference, differences: pd.DataFrame, *, sound: bool, known: bool = True) -> Check:
    """A fault of the system can be told where the ledgers are `sound`; that there is none, where it is `known`."""
    rows, rule = differences[differences["difference"] == kind], RULES[kind]
    ids = rows.loc[rows["request_id"] != "", "request_id"]
    named = ", ".join(ids.head(NAMED_IDS)) + (", …" if len(ids) > NAMED_IDS else "")
    observed = f"{rows['count'].sum():,}" + (f" ({named})" if named else "")
    none = Outcome.PASS if known else Outcome.INVALID
    return Check(
        name=kind,
        claim=rule.claim,
        expected="0",
        observed=observed if known or len(rows) else "not every backend has counted",
        outcome=none if rows.empty else rule.outcome if sound else Outcome.INVALID,
        evidence=DIFFERENCES_CSV,
    )


def _agreement(
    reconciliation: pd.DataFrame, differences: pd.DataFrame, account: Account, *, sound: bool
) -> Iterator[Check]:
    """By backend. What somebody else caused, or the client forgot, is not the balancer's doing."""
    unasked = set(differences.loc[differences["difference"] == Difference.UNASKED, "host_tag"])
    for tag, client, balancer, processed in reconciliation[["client", "balancer", "processed"]].itertuples():
        spare, answered = account.done_for_nobody(tag), account.answered.get(tag, 0)
        # nginx logs an answer that was cut off as it began, and does not log what it had answered when it was killed
        agreed = client - answered <= balancer <= processed <= client + spare
        cut_off, said = spare + answered, f"{processed:,.0f}" if pd.notna(processed) else "not known"
        yield Check(
            name=f"ledgers {tag}",
            claim=f"Client, balancer and {tag} agree on how many models it created ({CREATED}).",
            expected=f"the same, but for {cut_off:,} that a fault cut off" if cut_off else "three times the same",
            observed=f"client {client:,.0f}, balancer {balancer:,.0f}, backend {said}",
            outcome=Outcome.of(held=agreed, known=agreed or (pd.notna(processed) and sound and tag not in unasked)),
            evidence=RECONCILIATION_CSV,
        )
