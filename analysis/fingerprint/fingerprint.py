"""`python -m analysis.fingerprint DIRECTORY`: which algorithm a balancer uses, judged from the rows of a probe."""

import argparse
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ValidationError
from rich.table import Table
from rich.text import Text

from analysis.evidence.frames import read
from analysis.fingerprint.hypotheses import Finding, findings
from analysis.fingerprint.probe import Probe
from scenarios.cli.console import Console
from scenarios.cli.exit_codes import ends_in_order
from scenarios.formats.columns import Column
from scenarios.formats.probe_record import RECORD, Phase, ProbeRecord
from scenarios.formats.rows import PROBE, Probed
from scenarios.spec.balancer import Algorithm
from scenarios.spec.errors import UsageError

AS_CONFIGURED, ANOTHER, CANNOT_TELL = 0, 1, 3


class HypothesisStanding(StrEnum):
    """What the probe says about an algorithm."""

    FITS = "fits"
    EXCLUDED = "excluded"
    NOT_SEPARABLE = "not separable"


COLOURS = {
    HypothesisStanding.FITS: "green",
    HypothesisStanding.EXCLUDED: "dim",
    HypothesisStanding.NOT_SEPARABLE: "yellow",
}


class Hypothesis(BaseModel):
    """The judgement of one algorithm."""

    algorithm: Algorithm
    outcome: HypothesisStanding
    evidence: str


class Fingerprint(BaseModel):
    """A balancer's algorithm in one sentence, with evidence. Exit code: 0 as configured, 1 another, 3 cannot tell."""

    sentence: str
    exit_code: int
    configured: tuple[Algorithm, ...]
    hypotheses: list[Hypothesis]


def main() -> None:
    """Judge a probe, write and print the fingerprint, and exit with its code."""
    parser = argparse.ArgumentParser(prog="python -m analysis.fingerprint", description=__doc__)
    parser.add_argument("directory", type=Path, help="a directory that `make fingerprint` made")
    directory = parser.parse_args().directory
    with ends_in_order("analysis"):
        record, rows = _read(directory)
        found = judged(record, rows)
        _write(found, directory)
        _print(found, record, directory)
    sys.exit(found.exit_code)


def judged(record: ProbeRecord, rows: pd.DataFrame) -> Fingerprint:
    """Judge the rows of a probe (`Probed`)."""
    evidence = findings(Probe(rows, record.weights, record.paused))
    faults = list(faults_of(record, rows))
    left = [] if faults else [finding for finding in evidence if not finding.is_excluded]
    return Fingerprint(
        sentence=f"Cannot tell: {', '.join(faults)}." if faults else _sentence(left, record.configured),
        exit_code=CANNOT_TELL if faults else _exit_code(left, record.configured),
        configured=record.configured,
        hypotheses=[
            Hypothesis(
                algorithm=each.algorithm, outcome=_standing(each, left, is_known=not faults), evidence=each.evidence
            )
            for each in evidence
        ],
    )


def faults_of(record: ProbeRecord, rows: pd.DataFrame) -> Iterator[str]:
    """The reasons why some picks are not known. With one of them, the probe proves nothing."""
    right = rows[Column.STATUS].isin(record.target.expected_statuses) & rows[Column.HOST_TAG].isin(list(record.weights))
    counts = {
        "not answered by a backend of the configuration": int((~right).sum()),
        "not in the balancer's log": int((rows[Column.PID] == 0).sum()),
        "tried on several backends": int((rows[Column.ATTEMPTS] > 1).sum()),
    }
    yield from (f"{count} of {len(rows)} requests: {what}" for what, count in counts.items() if count)
    if record.foreign:
        yield f"requests of other clients meanwhile: {record.foreign}"


def _standing(finding: Finding, left: list[Finding], *, is_known: bool) -> HypothesisStanding:
    if finding.is_excluded and is_known:
        return HypothesisStanding.EXCLUDED
    return HypothesisStanding.FITS if left == [finding] and finding.is_certain else HypothesisStanding.NOT_SEPARABLE


def _exit_code(left: list[Finding], configured: tuple[Algorithm, ...]) -> int:
    names = {finding.algorithm for finding in left}
    if configured and not names & set(configured):
        return ANOTHER
    is_certain = left and all(finding.is_certain for finding in left)
    return AS_CONFIGURED if is_certain and names <= set(configured) else CANNOT_TELL


def _sentence(left: list[Finding], configured: tuple[Algorithm, ...]) -> str:
    told = " or ".join(configured) or "none of them"
    if not left:
        return f"It looks like none of these, and the configuration says {told}."
    names = "; ".join(finding.algorithm for finding in left)
    if not all(finding.is_certain for finding in left):
        return f"It fits {names}, or another algorithm that always picks one backend; the configuration says {told}."
    if len(left) > 1:
        return f"It fits several: {names}. The configuration says {told}."
    if left[0].algorithm in configured:
        return f"It looks like {names}, as the configuration says."
    return f"It looks like {names}, and the configuration says {told}."


def _read(directory: Path) -> tuple[ProbeRecord, pd.DataFrame]:
    """Read a probe. Raises `UsageError` when it is not one, cut off or damaged."""
    path = directory / RECORD
    try:
        record = ProbeRecord.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise UsageError(f"{path}: is damaged: {error.errors(include_url=False)[0]['msg']}") from error
    rows = read(directory / PROBE, Probed)
    missing = {Phase.SEQUENTIAL, Phase.SLOWED} - set(rows[Column.PHASE])
    if missing:
        raise UsageError(f"{directory / PROBE}: is damaged: no rows of the phase {', '.join(sorted(missing))}")
    return record, rows


def _write(found: Fingerprint, directory: Path) -> None:
    table = pd.DataFrame([hypothesis.model_dump() for hypothesis in found.hypotheses])
    table.to_csv(directory / "fingerprint.csv", index=False, lineterminator="\n")
    (directory / "fingerprint.json").write_text(found.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _print(found: Fingerprint, record: ProbeRecord, directory: Path) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("algorithm")
    table.add_column("evidence", overflow="fold")
    table.add_column("", no_wrap=True)
    for each in found.hypotheses:
        table.add_row(each.algorithm, each.evidence, Text(each.outcome, style=COLOURS[each.outcome]))
    console = Console()
    console.print(table)
    for phase, reason in record.left_out.items():
        console.print(f"\nleft out: {phase}: {reason}", soft_wrap=True)
    console.print(f"\n{found.sentence}   {directory}", soft_wrap=True)
