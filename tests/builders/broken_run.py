"""A run in which a backend is killed and started again, as the ledgers would have it; a request every 10 ms."""

from dataclasses import replace

from scenarios.formats.columns import Column
from scenarios.formats.rows import AppliedFault
from scenarios.spec.patience import Patience
from scenarios.spec.scenario import Scenario
from tests.builders.evidence import balanced, counted, frame, response, stack, three_ledgers

WEIGHTS = {"a": 1, "b": 2, "c": 3}
PATIENCE = Patience(max_fails=1, fail_timeout_s=2.0, connect_timeout_s=2.0, read_timeout_s=30.0)
START_S, EVERY_S, TOOK_S = 1000.0, 0.01, 0.001
STAGES = {"healthy": 5.0, "failing": 10.0, "without": 15.0, "returning": 20.0, "healed": 25.0}  # until when
KILLED_S, STARTED_S, READY_S, BACK_S = 6.0, 16.0, 16.5, 17.5
PROBED_EVERY_S = 3.0
UNWANTED = {"status": 502, "error": "Unwanted: status 502 instead of 201"}
CUT_OFF = {"status": 0, "error": "AnswerFault: closed within the answer"}


def scenario(requests):
    stages = [{"name": name, "users": 1, "spawn_rate": 1.0, "duration_s": 5.0} for name in STAGES]
    del stages[-1][Column.DURATION_S]
    faults = [
        {"kind": "kill", "backend": "b", "stage": "failing", "after_s": 1.0},
        {"kind": "start", "backend": "b", "stage": "returning", "after_s": 1.0},
    ]
    document = {"name": "made", "title": "Made", "claim": "It holds.", "requests": requests}
    return Scenario.model_validate(document | {"stages": stages, "faults": faults})


def strike(number, kind, began_s, ended_s, stage, backend="b"):  # noqa: PLR0917 - it is a row
    began_us, ended_us = (round((START_S + at_s) * 1e6) for at_s in (began_s, ended_s))
    return AppliedFault(number, kind, backend, stage, began_us, ended_us, "", "")


STRIKES = (
    strike(1, "kill", KILLED_S, KILLED_S + 0.005, "failing"),
    strike(2, "start", STARTED_S, READY_S, "returning"),
)


class ModelBalancer:
    """Weighted round-robin over those that take part."""

    def __init__(self):
        self._current = dict.fromkeys(WEIGHTS, 0)

    def pick(self, tags):
        for tag in tags:
            self._current[tag] += WEIGHTS[tag]
        best = max(tags, key=self._current.get)
        self._current[best] -= sum(WEIGHTS[tag] for tag in tags)
        return best


def picks(back_s=BACK_S, probed_every_s=PROBED_EVERY_S):
    """A second, the stage, who was asked in vain, and who answered, for each request."""
    balancer, asked_s = ModelBalancer(), KILLED_S
    for number in range(round(STAGES["healed"] / EVERY_S)):
        at_s = number * EVERY_S
        stage = next(name for name, until_s in STAGES.items() if at_s < until_s)
        away = KILLED_S <= at_s < back_s
        tag = balancer.pick([each for each in WEIGHTS if each != "b" or not away])
        probes = KILLED_S + EVERY_S < at_s < STARTED_S and at_s - asked_s >= probed_every_s
        asked_s = at_s if probes else asked_s
        yield at_s, stage, "b" if probes else "", tag


def broken_run(lost=(6.0,), applied_faults=STRIKES, *, resent=False, swapped=0, culprit="b", cut_off=False, **of_picks):
    """Evidence of it. The request of each second in `lost` failed at `culprit`; `swapped` picks of c went to a.

    Its answer was `cut_off` when nginx had begun to pass it on.
    """
    rows, log = [], []
    for number, (at_s, stage, probed, answered) in enumerate(picks(**of_picks)):
        tag = answered
        if swapped and stage == "without" and tag == "c":
            tag, swapped = "a", swapped - 1
        fails = any(abs(at_s - second) < EVERY_S / 2 for second in lost)
        row = response(
            number,
            "" if fails else tag,
            sent_us=round((START_S + at_s) * 1e6),
            latency_us=round(2 * TOOK_S * 1e6),
            stage=stage,
            **((CUT_OFF if cut_off else UNWANTED) if fails else {}),
        )
        rows.append(row)
        if fails and cut_off:
            log.append(_logged(row._replace(status=201), culprit, "", "", resent=False))
        else:
            log.append(_logged(row, tag, probed, culprit if fails else "", resent=resent))
    tags = {tag: sum(row.host_tag == tag for row in rows) for tag in WEIGHTS}
    counts = counted(tags, b={"started_us": 2, "created": 1})
    made = three_ledgers(
        rows, WEIGHTS, log=log, counts=counts, standing=stack().model_copy(update={"patience": PATIENCE})
    )
    manifest = made.manifest.model_copy(update={"scenario": scenario(len(rows))})
    return replace(made, manifest=manifest, applied_faults=frame(list(applied_faults), AppliedFault))


def _logged(row, tag, probed, failed, *, resent):
    ended_s = row.sent_us / 1e6 + TOOK_S
    if failed:
        addresses, statuses, connected, tag = f"{failed}:80", "502", "0.000", ""
    elif probed:
        addresses, statuses = f"{probed}:80, {tag}:80", "502, 201"
        connected = "0.000, 0.000" if resent else "-, 0.000"
    else:
        addresses, statuses, connected = f"{tag}:80", "201", "0.000"
    return balanced(
        row.request_id,
        TOOK_S,
        tag,
        ended_s=round(ended_s, 3),
        status=row.status,
        upstream_addresses=addresses,
        upstream_statuses=statuses,
        upstream_connect_s=connected,
        upstream_response_s=f"0.000, {TOOK_S:.3f}" if probed and not failed else f"{TOOK_S:.3f}",
    )
