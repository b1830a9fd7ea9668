"""The one sheet to show to others: the verdict, the split, latency, and what the services used."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from analysis.charts import distribution, latency, resources
from analysis.charts.drawing import fault_titles as fault_words
from analysis.charts.drawing import shares
from analysis.charts.drawing.sheet import AXIS, EDGE, TITLE_LINE, WIDTH, Box, Legend, named, place, say
from analysis.charts.drawing.stages import spans
from analysis.charts.drawing.style import ALARM, GREY, INK, SLATE, TEXT, TITLE, Look, colours
from analysis.charts.drawing.text import ELLIPSIS, shortened, widest, width_of, wrapped
from analysis.charts.over_time import SECONDS
from analysis.checks.check import Check, Outcome
from analysis.evidence.evidence import Evidence
from analysis.measures.statistics import ALL
from analysis.tables import Tables
from analysis.verdict import Verdict
from scenarios.formats.columns import Column

WORD = 40.0  # points
COLOURS = {Outcome.PASS: "#1B7837", Outcome.FAIL: ALARM, Outcome.INVALID: "#9A6700", Outcome.UNTESTED: GREY}
LINE = 0.2  # inches
TOLD, LINES = 2, 2  # checks that did not pass, and lines for each
BAR, COURSE, PLOT, NAMES = 0.34, 1.5, 2.1, 1.5
HEADING = 0.62  # two lines of it
HALF = 5.9  # where the right half begins
LEFT = 0.95
APART = 0.25
STAGE_LINES = ("-", "--", ":", "-.")


class Header(NamedTuple):
    """What stands beside and below the verdict."""

    answer: str
    facts: str
    lines: Sequence[str]


def summary_figure(evidence: Evidence, tables: Tables, verdict: Verdict) -> Figure:
    """What came out, on one sheet."""
    head = header(evidence, verdict)
    left = EDGE + width_of(verdict.outcome, WORD, bold=True) + 0.25
    answer = wrapped(head.answer, WIDTH - left - 2 * EDGE, TITLE, bold=True)
    top = max(0.75, TITLE_LINE * (1 + answer.count("\n")) + 2 * LINE) + LINE * len(head.lines) + 0.2
    course_key = named(shares.meanings(tables.course), WIDTH - LEFT - 0.3)[0] if tables.course is not None else None
    split_height = COURSE if course_key is not None else BAR * len(tables.distribution)
    used_height = max(PLOT, BAR * len(tables.usage))
    key = _stage_key(evidence)
    bottom = key.room
    split_bottom = bottom + used_height + HEADING + AXIS + (course_key.height + 0.1 if course_key is not None else 0)
    height = split_bottom + split_height + (HEADING if course_key is not None else 0.4) + top
    figure = Figure(figsize=(WIDTH, height))
    _write_head(figure, head, verdict.outcome, answer, left)
    split = Box(EDGE, split_bottom, WIDTH - 2 * EDGE, split_height)
    if course_key is not None:
        _draw_course(figure, tables, verdict, split)
    else:
        _draw_split(figure, tables.distribution, verdict.doubt, split)
    wide = HALF - 0.4 if len(tables.usage) else WIDTH - 0.3
    _draw_latency(figure, evidence, tables, Box(LEFT, bottom, wide - LEFT, used_height), key)
    if len(tables.usage):
        _draw_use(figure, evidence, tables.usage, Box(HALF, bottom, WIDTH - HALF - EDGE, used_height))
    return figure


def header(evidence: Evidence, verdict: Verdict) -> Header:
    """The verdict in a sentence, what was run, and the first checks that did not pass or else the claim."""
    manifest = evidence.manifest
    tested = [check for check in verdict.checks if check.outcome is not Outcome.UNTESTED]
    worse = [check for check in tested if check.outcome is not Outcome.PASS]
    worse.sort(key=lambda check: check.outcome is not verdict.outcome)
    failed = sum(check.outcome is Outcome.FAIL for check in worse)
    passed = f"{len(tested) - len(worse)} of {len(tested)} checks passed" + (f", {failed} failed" if failed else "")
    facts = [
        f"{manifest.started_at:%Y-%m-%d %H:%M} UTC",
        f"stack {manifest.stack}",
        f"{len(evidence.responses):,} requests",
        f"{int(evidence.manifest.scenario.peak_users):,} users" + (", scaled" if manifest.scaled else ""),
    ]
    lines = list(_told(worse)) if worse else wrapped(manifest.scenario.claim, WIDTH - 3 * EDGE).split("\n")
    return Header(f"{verdict.scenario}: {passed}", "   ".join(facts), lines)


def _told(worse: list[Check]) -> Iterator[str]:
    for check in worse[:TOLD]:
        follows = check.meaning if check.outcome is Outcome.FAIL else f"Not shown: {check.claim}"
        lines = wrapped(f"{check.outcome} {check.name}: {check.observed}. {follows}", WIDTH - 3 * EDGE).split("\n")
        yield from lines[: LINES - 1]
        if len(lines) >= LINES:
            yield lines[LINES - 1] if len(lines) == LINES else lines[LINES - 1][:-2] + ELLIPSIS
    if len(worse) > TOLD:
        yield f"and {len(worse) - TOLD} more"


def _write_head(figure: Figure, head: Header, outcome: Outcome, answer: str, left: float) -> None:
    _, height = figure.get_size_inches()
    top = height - EDGE
    say(figure, EDGE, top + 0.06, outcome, va="top", fontsize=WORD, fontweight="bold", color=COLOURS[outcome])
    figure.suptitle(
        answer, x=left / WIDTH, y=top / height, ha="left", va="top", fontsize=TITLE, fontweight="bold", color=INK
    )
    facts = top - TITLE_LINE * (1 + answer.count("\n")) - 0.03
    say(figure, left, facts, head.facts, va="top", color=GREY)
    below = top - max(0.75, TITLE_LINE * (1 + answer.count("\n")) + 2 * LINE)
    for number, line in enumerate(head.lines):
        say(figure, EDGE, below - LINE * number, line, va="top", color=INK)


def _heading(figure: Figure, left: float, bottom: float, text: str, width: float) -> None:
    lines = wrapped(text, width, TEXT, bold=True).split("\n")
    lines = [*lines[:1], shortened(" ".join(lines[1:]), 0.9 * width)] if len(lines) > 2 else lines
    say(figure, left, bottom, "\n".join(lines), va="bottom", fontweight="bold", color=INK)


def _draw_split(figure: Figure, table: pd.DataFrame, doubt: str, box: Box) -> None:
    left = box.left + distribution.names_width(table) + 0.1
    width = HALF - left
    counts = place(figure, box._replace(left=left, width=width))
    distribution.draw_counts(table, width, counts)
    counts.set_xlabel("requests answered; dark line: claimed")
    right = HALF + 0.3
    deviations = place(figure, box._replace(left=right, width=WIDTH - right - 0.3))
    distribution.draw_deviations(table, deviations)
    deviations.set_xlabel("requests off the claim; grey: may be off")
    _heading(figure, EDGE, box.bottom + box.height + 0.08, distribution.answer(table, doubt), box.width)


def _draw_course(figure: Figure, tables: Tables, verdict: Verdict, box: Box) -> None:
    """In a run with faults: how often each backend was picked, and when; the whole of it is not judged."""
    assert tables.course is not None
    assert tables.aftermath is not None
    axes = place(figure, box._replace(left=LEFT, width=WIDTH - LEFT - 0.3))
    shares.draw_shares(tables.course, spans(tables.timeline), axes)
    axes.set_xlabel(f"share of all picks; {SECONDS}")
    legend, handles = named(shares.meanings(tables.course), WIDTH - LEFT - 0.3)
    legend.draw(figure, handles, LEFT, box.bottom - AXIS - legend.height)
    told = fault_words.answer(tables.course, tables.aftermath.table, verdict.checks)
    _heading(figure, EDGE, box.bottom + box.height + 0.08, told, box.width)


def _draw_latency(figure: Figure, evidence: Evidence, tables: Tables, box: Box, key: Legend) -> None:
    of_all = tables.percentiles[tables.percentiles[Column.HOST_TAG] == ALL]
    axes = place(figure, box)
    latency.draw_curves(of_all, Column.STAGE, _stage_looks(evidence), axes)
    latency.share_scale([axes])
    say(figure, EDGE, box.bottom + box.height / 2, "latency in ms", rotation=90, va="center", color=GREY)
    answer = latency.answer(tables.latency, evidence.stages)
    _heading(figure, EDGE, box.bottom + box.height + 0.08, answer, box.left + box.width - EDGE)
    key.draw(figure, [latency.line_of(look) for look in _stage_looks(evidence).values()], box.left, EDGE)


def _draw_use(figure: Figure, evidence: Evidence, usage: pd.DataFrame, box: Box) -> None:
    palette = colours(evidence.backends)
    names = [shortened(str(service), NAMES) for service in usage.index]
    left = box.left + widest(names) + 0.15
    width = (box.left + box.width - left - APART) / 2
    measures = (
        ("CPU, cores", Column.CPU_PEAK, Column.CPU_LIMIT),
        ("memory, MiB", Column.MEMORY_PEAK_MIB, Column.MEMORY_LIMIT_MIB),
    )
    for number, (label, peak, limit) in enumerate(measures):
        axes = place(figure, box._replace(left=left + number * (width + APART), width=width))
        resources.draw_peaks(usage, peak, limit, palette, width, axes)
        axes.set_xlabel(label, loc="left")
        if number == 0:
            axes.set_yticks(range(len(usage)), names)
            axes.tick_params(axis="y", length=0, labelcolor=INK)
    limited = bool((usage[[Column.CPU_LIMIT, Column.MEMORY_LIMIT_MIB]] > 0).any(axis=None))
    of_limits = resources.cpu_answer if usage[Column.THROTTLED].max() > 0 else resources.memory_answer
    answer = of_limits(usage) if limited else "Peak use; nothing limits it on this stack"
    _heading(figure, box.left, box.bottom + box.height + 0.08, answer, box.width)


def _stage_looks(evidence: Evidence) -> dict[str, Look]:
    shades = SLATE[:3]
    return {
        stage: Look(shades[number % len(shades)], STAGE_LINES[number // len(shades) % len(STAGE_LINES)], "o")
        for number, stage in enumerate(evidence.stages)
    }


def _stage_key(evidence: Evidence) -> Legend:
    key, _ = named({stage: latency.line_of(look) for stage, look in _stage_looks(evidence).items()}, HALF - 1.2)
    return key
