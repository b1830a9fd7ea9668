"""`python -m analysis.fingerprint DIRECTORY`: which algorithm a balancer looks like, from the rows of its probe."""

import argparse
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ValidationError
from rich.table import Table
from rich.text import Text

from analysis.frames import read
from analysis.hypotheses import Finding, Probe, findings
from analysis.refusals import told
from scenarios.console import Console
from scenarios.errors import UsageError
from scenarios.ledgers import PROBE, Probed
from scenarios.model import CREATED
from scenarios.probe_record import RECORD, Algorithm, Phase, ProbeRecord

AS_CONFIGURED, ANOTHER, CANNOT_TELL = 0, 1, 3


class Standing(StrEnum):
    """How an algorithm comes out of it."""

    FITS = "fits"
    EXCLUDED = "excluded"
    NOT_SEPARABLE = "not separable"


COLOURS = {Standing.FITS: "green", Standing.EXCLUDED: "dim", Standing.NOT_SEPARABLE: "yellow"}


class Hypothesis(BaseModel):
    """An algorithm, judged."""

    algorithm: Algorithm
    outcome: Standing
    evidence: str


class Fingerprint(BaseModel):
    """What a balancer looks like, in one sentence, and why. Exit code: 0 as configured, 1 another, 3 cannot tell."""

    sentence: str
    exit_code: int
    configured: tuple[Algorithm, ...]
    hypotheses: list[Hypothesis]


def main() -> None:
    """Judge, write, print, and exit with the code of the fingerprint."""
    parser = argparse.ArgumentParser(prog="python -m analysis.fingerprint", description=__doc__)
    parser.add_argument("directory", type=Path, help="a directory that `make fingerprint` made")
    directory = parser.parse_args().directory
    with told():
        record, rows = _read(directory)
        found = judged(record, rows)
        _write(found, directory)
        _print(found, record, directory)
    sys.exit(found.exit_code)


def judged(record: ProbeRecord, rows: pd.DataFrame) -> Fingerprint:
    """The fingerprint that the rows of a probe (`Probed`) make."""
    evidence = findings(Probe(rows, record.weights, record.frozen))
    faults = list(faults_of(record, rows))
    left = [] if faults else [finding for finding in evidence if not finding.is_excluded]
    return Fingerprint(
        sentence=f"It cannot be told: {', '.join(faults)}." if faults else _sentence(left, record.configured),
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
    """Why the picks are not all known, in which case nothing can be concluded."""
    unanswered = int(((rows["status"] != CREATED) | ~rows["host_tag"].isin(list(record.weights))).sum())
    counts = {
        "not answered by a backend of the configuration": unanswered,
        "not in the balancer's log": int((rows["pid"] == 0).sum()),
        "tried on several backends": int((rows["tries"] > 1).sum()),
    }
    yield from (f"{count} of {len(rows)} requests: {what}" for what, count in counts.items() if count)
    if record.strangers:
        yield f"requests that the balancer had from somebody else meanwhile: {record.strangers}"


def _standing(finding: Finding, left: list[Finding], *, is_known: bool) -> Standing:
    if finding.is_excluded and is_known:
        return Standing.EXCLUDED
    return Standing.FITS if left == [finding] and finding.is_certain else Standing.NOT_SEPARABLE


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
        return f"It fits {names}, or whatever else always reaches one backend; the configuration says {told}."
    if len(left) > 1:
        return f"It fits several: {names}. The configuration says {told}."
    if left[0].algorithm in configured:
        return f"It looks like {names}, as the configuration says."
    return f"It looks like {names}, and the configuration says {told}."


def _read(directory: Path) -> tuple[ProbeRecord, pd.DataFrame]:
    """A probe. Raises `UsageError` when it is none, cut off or damaged."""
    path = directory / RECORD
    try:
        record = ProbeRecord.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise UsageError(f"{path}: is damaged: {error.errors(include_url=False)[0]['msg']}") from error
    rows = read(directory / PROBE, Probed)
    missing = {Phase.SEQUENTIAL, Phase.SLOWED} - set(rows["phase"])
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


if __name__ == "__main__":
    main()
