"""The page of a report as its reader meets it: seen, sorted, printed, read aloud, and opened without a network."""

import io
import os
import sys
from itertools import pairwise

import pytest
from PIL import Image

from analysis.report import report
from scenarios.formats.report_directory import ReportDirectory
from tests.builders.evidence import responses, write
from tests.builders.processes import completed

SCRIPT, LONG = "<script>alert(1)</script>", "x" * 60
COUNTS = {SCRIPT: 9, "a,b|c": 100, LONG: 1000}
WEIGHTS = dict(zip(COUNTS, (1, 2, 3), strict=True))
DESKTOP, PHONE = (1280, 900), (390, 844)
SORTED = "#table-distribution + .scroll"

# The contrast of every piece of text against what lies behind it, by WCAG 2.2: the pieces that have less than 4.5.
PALE = """() => {
  const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const contrast = (element) => {
    const both = [rgb(getComputedStyle(element).color), behind(element)].map(luminance).sort((a, b) => b - a);
    return (both[0] + 0.05) / (both[1] + 0.05);
  };
  const own = (element) => [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  return [...document.body.querySelectorAll("*:not(script)")].filter(own)
    .map((element) => [element.textContent.trim().slice(0, 40), element.className, contrast(element)])
    .filter(([, , found]) => found < 4.5);
}"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A report whose backends have names that try to be something else, and that got the wrong split."""
    directory = ReportDirectory.new(tmp_path_factory.mktemp("reports"), "made")
    write(directory, responses(COUNTS), WEIGHTS)
    assert report(directory.path).outcome == "FAIL"
    return directory.path


def answered(page):
    """The column of counts of the table of the split, from top to bottom."""
    return page.locator(f"{SORTED} tbody tr td:nth-child(4)").all_inner_texts()


def heading(page, name):
    return page.locator(f"{SORTED} th", has_text=name)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_verdict_is_seen_first(visit, directory, size):
    page = visit(directory, *size).page
    verdict = page.locator(".verdict")
    box = verdict.bounding_box()
    assert box["y"] + box["height"] <= size[1]
    assert "claims did not hold: " in verdict.inner_text()
    assert page.get_by_role("heading", name="Verdict: FAIL").is_visible()
    assert "split a,b|c: The balancer does not divide" in page.locator(".turned").inner_text()


def test_report_asks_for_its_file_only_and_nothing_goes_wrong(visit, directory):
    visited = visit(directory)
    visited.page.wait_for_timeout(300)
    assert visited.asked == [(directory / "report.html").as_uri()]
    assert visited.said == []


def test_every_picture_is_there_and_is_named_after_its_answer(visit, directory):
    page = visit(directory).page
    pictures = page.locator("img").evaluate_all(
        "images => images.map(async image => (await image.decode(), [image.naturalWidth, image.alt]))"
        ".reduce(async (all, one) => [...(await all), await one], [])"
    )
    assert len(pictures) == len(list(directory.glob("*.png"))) > 3
    assert all(width > 500 for width, _ in pictures)
    assert pictures[0][1] == "made: 7 of 10 checks passed, 3 failed"
    assert all(answer for _, answer in pictures)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_page_is_never_wider_than_its_window(visit, directory, size):
    page = visit(directory, *size).page
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    edges = page.locator("main > section *:not(.scroll *):not(pre *):not(.unseen)").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect().right)"
    )
    assert max(edges) <= size[0]


def test_click_sorts_by_number_and_the_next_one_the_other_way(visit, directory):
    page = visit(directory).page
    column = heading(page, "answered")
    column.get_by_role("button").click()
    assert answered(page) == ["9", "100", "1,000"]
    assert column.get_attribute("aria-sort") == "ascending"
    column.get_by_role("button").click()
    assert answered(page) == ["1,000", "100", "9"]
    assert column.get_attribute("aria-sort") == "descending"
    heading(page, "host_tag").get_by_role("button").click()
    assert page.locator(f"{SORTED} th[aria-sort]").all_inner_texts() == ["host_tag"]


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_key_sorts_like_a_click(visit, directory, key):
    page = visit(directory).page
    column = heading(page, "deviation")
    column.get_by_role("button").focus()
    page.keyboard.press(key)
    page.keyboard.press(key)
    assert answered(page) == ["1,000", "9", "100"]
    assert column.get_attribute("aria-sort") == "descending"


def test_cell_without_number_is_sorted_last_either_way(visit, directory):
    page = visit(directory).page
    page.locator(f"{SORTED} tbody tr td:nth-child(4)").first.evaluate("cell => { cell.textContent = '\u2013'; }")
    column = heading(page, "answered")
    for expected in (["100", "1,000", "\u2013"], ["1,000", "100", "\u2013"]):
        column.get_by_role("button").click()
        assert answered(page) == expected


def test_first_key_offers_to_skip_to_the_verdict(visit, directory):
    page = visit(directory).page
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to the verdict"
    assert skip.bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_keyboard_shows_its_place_and_reaches_what_scrolls(visit, directory):
    page = visit(directory, *PHONE).page
    scrolling = page.locator(".scroll, pre")
    assert scrolling.evaluate_all("all => all.every(each => each.tabIndex === 0 && each.getAttribute('aria-label'))")
    page.keyboard.press("Tab")
    assert page.locator(":focus").evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
    heading(page, "answered").get_by_role("button").focus()
    page.keyboard.press("Tab")
    assert page.locator(":focus").evaluate("each => getComputedStyle(each).outlineStyle") == "solid"


def test_script_in_a_name_is_read_and_not_run(visit, directory):
    visited = visit(directory)
    for name in COUNTS:
        assert visited.page.locator(SORTED).get_by_role("rowheader", name=name, exact=True).is_visible()
    assert visited.page.locator("script").count() == 1
    assert visited.said == []


def test_report_without_scripts_is_whole(visit, directory):
    page, plain = visit(directory).page, visit(directory, java_script_enabled=False).page
    assert page.locator("th button").count() > 10
    assert plain.locator("th button").count() == 0
    assert plain.locator("main").inner_text().split() == page.locator("main").inner_text().split()


def test_headings_skip_no_level(visit, directory):
    page = visit(directory).page
    levels = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all("all => all.map(each => Number(each.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_screen_reader_finds_its_way(visit, directory):
    page = visit(directory).page
    for landmark in ("banner", "navigation", "main"):
        assert page.get_by_role(landmark).count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("table").count() == page.locator("table > caption").count() > 8
    assert page.locator("th:not([scope])").count() == 0
    headless = page.locator("tbody tr:not(:has(th[scope=row]))")
    assert set(headless.all_inner_texts()) == {"No rows."}
    targets = page.locator("nav a").evaluate_all("all => all.map(each => each.hash)")
    assert all(page.locator(target).count() == 1 for target in targets)
    ids = page.locator("[id]").evaluate_all("all => all.map(each => each.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_what_lies_behind(visit, directory, scheme):
    assert visit(directory, color_scheme=scheme).page.evaluate(PALE) == []


@pytest.mark.parametrize(("scheme", "bright"), [("light", True), ("dark", False)])
def test_page_is_as_light_or_dark_as_the_reader_wants_it(visit, directory, scheme, bright):
    page = visit(directory, color_scheme=scheme).page
    with Image.open(io.BytesIO(page.screenshot())) as seen:
        assert (sum(seen.convert("RGB").getpixel((5, 5))) > 3 * 127) is bright
    assert (
        page.locator("figure img")
        .first.evaluate("each => getComputedStyle(each).backgroundColor")
        .endswith("(255, 255, 255)")
    )


def test_report_on_paper_is_light_whole_and_without_navigation(visit, directory):
    page = visit(directory, color_scheme="dark").page
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 900})  # A4 between these margins
    assert page.locator("body").evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(PALE) == []
    assert not page.locator("nav").is_visible()
    assert page.locator(".scroll").evaluate_all(
        "all => all.every(each => getComputedStyle(each).overflow === 'visible')"
    )
    assert (
        page.locator("table").evaluate_all("all => Math.max(...all.map(each => each.getBoundingClientRect().right))")
        <= 680
    )
    assert page.locator("figure").evaluate_all(
        "all => all.every(each => getComputedStyle(each).breakInside === 'avoid')"
    )


@pytest.mark.parametrize(("required", "outcome"), [("", "1 skipped"), ("1", "1 error")])
def test_missing_browser_is_said(tmp_path, required, outcome):
    environment = os.environ | {"PATH": str(tmp_path), "CHROMIUM": "", "BROWSER_REQUIRED": required}
    name = f"{__file__}::test_headings_skip_no_level"
    ended = completed([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name], env=environment)
    assert outcome in ended.stdout
    assert "install one of chromium" in ended.stdout
