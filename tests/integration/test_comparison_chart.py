"""The picture of a comparison: it holds every change."""

from itertools import pairwise

import numpy as np
import pytest

from analysis.charts.drawing.style import styled
from analysis.comparison.chart import comparison_figure
from analysis.comparison.latency import MARGIN, latency_changes
from tests.builders.compared_runs import DOZEN, STAGES, THREE, made_up


@pytest.mark.parametrize(("tags", "stages"), [(THREE[:2], ("steady",)), (DOZEN, STAGES)])
def test_picture_holds_every_change_inside_and_apart(tags, stages):
    draws = np.random.default_rng(9)
    latency = latency_changes(*(made_up(draws, tags, stages=stages, spread=each) for each in (0.05, 0.9)))
    with styled():
        figure = comparison_figure(latency, MARGIN, "The answer")
        figure.draw_without_rendering()
        said = [text.get_window_extent() for axes in figure.axes for text in axes.texts]
        assert len(said) == len(latency)
        assert max(box.x1 for box in said) <= figure.bbox.x1
        for one, next_one in pairwise(said):
            assert next_one.y1 < one.y0
        assert figure.get_suptitle() == "The answer"
