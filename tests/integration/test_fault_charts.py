"""The picture of faults, and what the summary shows of them."""

import pytest

from analysis.charts.drawing.fault_titles import answer
from analysis.charts.drawing.stages import spans
from analysis.charts.drawing.style import styled
from analysis.charts.faults import faults_figure
from analysis.charts.summary import summary_figure
from analysis.tables import Tables
from analysis.verdict import judge
from tests.builders.broken_run import broken_run
from tests.builders.odd_runs import WITH_FAULTS


def told(made):
    tables = Tables.of(made)
    return answer(tables.course, tables.aftermath.table, judge(made, tables).checks)


def test_summary_of_run_with_faults_shows_course_and_no_split():
    made = broken_run()
    tables = Tables.of(made)
    verdict = judge(made, tables)
    with styled():
        texts = [text.get_text() for text in summary_figure(made, tables, verdict).texts]
    told = answer(tables.course, tables.aftermath.table, verdict.checks)
    assert told in [" ".join(text.split()) for text in texts]
    assert not [text for text in texts if text.startswith(("Cannot tell", "The split"))]


@pytest.mark.parametrize("name", WITH_FAULTS)
def test_labels_of_faults_stand_between_the_panels(name):
    made = WITH_FAULTS[name]()
    tables = Tables.of(made)
    with styled():
        figure = faults_figure(tables.course, tables.aftermath.table, spans(tables.timeline), [])
        figure.draw_without_rendering()
    toll, shares = figure.axes
    labels = [text.get_window_extent() for text in toll.texts]
    assert labels
    assert all(toll.bbox.y1 < label.y0 and label.y1 < shares.bbox.y0 for label in labels)
