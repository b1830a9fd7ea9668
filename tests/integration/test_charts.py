"""Every picture of every odd run: it is drawn, nothing in it overlaps, and it can be read."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from analysis.charts.drawing.sheet import Legend
from analysis.charts.drawing.stages import Span, names
from analysis.charts.drawing.style import TEXT, styled
from analysis.charts.drawing.text import printable, shortened, width_of, wrapped
from analysis.charts.drawing.thinning import STRETCHES, thin
from analysis.charts.gallery import draw, figures
from analysis.tables import Tables
from analysis.verdict import judge
from tests.builders.odd_runs import LONG, RUNS, WITH_FAULTS

ALWAYS = ["summary", "distribution", "latency", "latency_over_time", "throughput", "generator"]
WITNESSED = [
    *ALWAYS[:5], "latency_parts", "ledgers", "running", "generator", "cpu", "memory", "network", "disk",
]  # fmt: skip
BROKEN = ["summary", "faults", *ALWAYS[1:5], "latency_parts", "ledgers", "generator"]


def expected(name):
    if name in WITH_FAULTS:
        return BROKEN
    return ALWAYS if name == "plain Locust" else WITNESSED


def pictures(made):
    tables = Tables.of(made)
    return figures(made, tables, judge(made, tables))


def written(figure, monkeypatch):
    """Every text that is drawn, with the box that it takes, in pixels."""
    texts, original = [], Text.draw

    def recorded(self, renderer):
        original(self, renderer)
        if self.get_visible() and self.get_text().strip():
            texts.append((self.get_text(), self.get_window_extent(renderer), self.get_fontsize()))

    with monkeypatch.context() as patched:
        patched.setattr(Text, "draw", recorded)
        FigureCanvasAgg(figure).draw()
    return texts


def faults(figure, texts):
    """The pairs of texts that touch, those that leave the paper, and those that are too small."""
    whole = figure.bbox
    for (one, first, _), (other, second, _) in combinations(texts, 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        down = min(first.y1, second.y1) - max(first.y0, second.y0)
        if across > 1 and down > 1:
            yield one, other
    for text, box, size in texts:
        if box.x0 < whole.x0 or box.y0 < whole.y0 or box.x1 > whole.x1 or box.y1 > whole.y1:
            yield text, "off the paper"
        if size < TEXT:
            yield text, "too small"


OFTEN_DRAWN = ("usual", "dozen", "long names", "empty", "with faults")  # the others are drawn by `make test-full`


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in OFTEN_DRAWN else pytest.mark.full) for name in RUNS]
)
def test_texts_of_any_picture_stay_apart_and_on_the_paper(name, monkeypatch):
    found = {}
    with styled():
        for picture, figure in pictures(RUNS[name]()):
            texts = written(figure, monkeypatch)
            assert texts, picture
            found[picture] = list(faults(figure, texts))
    assert {picture: pairs for picture, pairs in found.items() if pairs} == {}
    assert list(found) == expected(name)


def test_texts_that_touch_or_leave_the_paper_are_found(monkeypatch):
    with styled():
        figure = Figure(figsize=(4, 2))
        figure.text(0.1, 0.5, "one")
        figure.text(0.12, 0.5, "two")
        figure.text(0.5, 0.9, "half as small", fontsize=5)
        figure.text(0.95, 0.1, "far out")
        found = set(faults(figure, written(figure, monkeypatch)))
    assert found == {("one", "two"), ("half as small", "too small"), ("far out", "off the paper")}


def test_pictures_are_written_opaque_and_told_with_their_answers(tmp_path):
    made = RUNS["usual"]()
    tables = Tables.of(made)
    told = draw(tmp_path, made, tables, judge(made, tables))
    assert [picture.name for picture in told] == WITNESSED
    assert all(picture.answer and "\n" not in picture.answer for picture in told)
    for picture in told:
        with Image.open(tmp_path / f"{picture.name}.png") as image:
            assert image.mode == "RGB"
            assert image.getpixel((0, 0)) == (255, 255, 255)
        assert (tmp_path / f"{picture.name}.png").stat().st_size < 200_000


@pytest.mark.parametrize("name", [*LONG, "short"])
def test_name_is_shortened_to_fit_and_keeps_both_ends(name):
    short = shortened(name, 1.5)
    assert width_of(short) <= 1.5
    assert (short == name) == (width_of(name) <= 1.5)
    assert short[0] == name[0]
    assert short[-1] == name[-1]


def test_dollar_in_a_name_stays_a_dollar():
    with styled():
        assert not Figure().text(0, 0, "costs $5 or $6").get_parse_math()


def test_letter_missing_in_the_font_is_a_question_mark():
    assert printable("a\nb\x07模é$_") == "a?b??é$_"


def test_title_is_wrapped_within_its_width_and_loses_nothing():
    text = "back-03 took 10,000 of 20,000: exactly its half; " + "x" * 200
    lines = wrapped(text, 3.0, 14.0, bold=True).split("\n")
    assert all(width_of(line, 14.0, bold=True) <= 3.0 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_legend_stands_in_as_few_rows_as_its_width_allows():
    assert Legend(["a", "b", "c"], 9.0).columns == 3
    assert Legend(["a" * 30, "b", "c"], 6.0).columns == 3
    assert Legend(["a" * 30, "b" * 30, "c"], 6.0).columns == 1
    assert Legend(["a" * 30, "b" * 30, "c"], 5.0).height == pytest.approx(3 * Legend(["a"], 5.0).height)
    assert Legend(["a" * 500], 5.0).columns == 1


def test_names_of_stages_share_a_row_where_there_is_room_and_stay_within_the_axes():
    placed = names([Span("calm", 0, 0.1), Span("surge", 0.1, 9), Span("recovery", 9, 10)], 8.0)
    assert [name.row for name in placed] == [0, 1, 0]
    assert placed[2].left + width_of("recovery") <= 8.0


def test_line_is_thinned_but_its_peaks_stay():
    x, y = np.arange(100_000.0), np.zeros(100_000)
    y[77_777], y[33_333] = 9.0, -9.0
    thin_x, thin_y = thin(x, y)
    assert len(thin_x) == len(thin_y) <= 2 * STRETCHES
    assert (thin_y.max(), thin_y.min()) == (9.0, -9.0)
    assert abs(thin_x[thin_y.argmax()] - 77_777) <= 100_000 / STRETCHES
    assert len(thin(x[:10], y[:10])[0]) == 10
