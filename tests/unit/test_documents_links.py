"""The documents: every link, every anchor and every path that they name is there, and the README stays short."""

import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LINES_OF_THE_README = 200
BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
SUFFIXES = "conf|css|html|js|json|lock|md|png|py|toml|txt|yaml|yml"
PATH = re.compile(rf"`([\w.-]+/(?:[\w.-]+/)*(?:[\w.-]+\.(?:{SUFFIXES}))?)`")
MADE_BY_A_COMMAND = ("reports/", ".stack/", ".venv/", ".screenshots/")
NAMES_WHAT_IS_GONE = {"CHANGELOG.md"}


def documents():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True, timeout=30)
    return [path for path in map(PROJECT.joinpath, listed.stdout.split()) if path.exists()]


def anchors(text):
    """The anchors of the headings in a document, as GitHub makes them."""
    headings = HEADING.findall(BLOCK.sub("", text))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(document, text):
    """The links in a text that lead nowhere; web addresses are not followed."""
    for link in LINK.findall(BLOCK.sub("", text)):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in anchors(text if not path else target.read_text())):
            yield link


def missing_paths(text):
    """The paths in backticks that the project does not have: files with a known suffix, and folders in its rooms."""
    for path in PATH.findall(BLOCK.sub("", text)):
        is_ours = not path.endswith("/") or (PROJECT / path.partition("/")[0]).exists()
        if is_ours and not path.startswith(MADE_BY_A_COMMAND) and not (PROJECT / path).exists():
            yield path


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_link_of_a_document_leads_somewhere(document):
    assert list(broken_links(document, document.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_path_in_a_document_exists(document):
    missing = set(missing_paths(document.read_text(encoding="utf-8")))
    assert missing == set() or document.name in NAMES_WHAT_IS_GONE


@pytest.mark.parametrize("link", ["docs/nowhere.md", "README.md#nowhere", "#nowhere"])
def test_link_that_leads_nowhere_is_found(link):
    assert list(broken_links(PROJECT / "README.md", f"# Here\n\n[a](#here) [b]({link})\n")) == [link]


def test_link_to_a_heading_in_a_code_block_is_found():
    assert list(broken_links(Path("x.md"), "[a](#a-comment)\n\n```sh\n# a comment\n```\n")) == ["#a-comment"]


@pytest.mark.parametrize("path", ["docs/nowhere.md", "nowhere/nothing.toml", "docs/nowhere/"])
def test_path_that_does_not_exist_is_found(path):
    assert list(missing_paths(f"`{path}` and `README.md`, `docs/proof.md`, `scenarios/`, `unit/`")) == [path]


def test_readme_is_short():
    assert len((PROJECT / "README.md").read_text(encoding="utf-8").splitlines()) <= LINES_OF_THE_README


def test_every_document_is_linked_from_the_readme():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    linked = {(PROJECT / link.partition("#")[0]).resolve() for link in LINK.findall(readme)}
    assert [path.name for path in documents() if path.parent == PROJECT / "docs" and path not in linked] == []
