"""The lock file of an image is a part of the whole: the same versions with the same checksums."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


def pins(path):
    """Checksums by package and version."""
    packages = re.split(r"\n(?! )", path.read_text())
    return {package.split()[0]: set(re.findall(r"--hash=(\S+)", package)) for package in packages if package}


def disagreements(part, whole):
    return {name for name, hashes in part.items() if whole.get(name) != hashes}


@pytest.mark.parametrize("image", ["backend", "locustfiles"])
def test_an_image_has_the_versions_that_the_tests_have(image):
    part, whole = pins(PROJECT / image / "requirements.lock"), pins(PROJECT / "requirements.lock")
    assert len(part) > 10
    assert disagreements(part, whole) == set()


def test_another_version_would_be_noticed():
    whole = {"a==1": {"x"}, "b==2": {"y"}}
    assert disagreements({"a==1": {"x"}}, whole) == set()
    assert disagreements({"a==2": {"x"}}, whole) == {"a==2"}
    assert disagreements({"a==1": {"z"}}, whole) == {"a==1"}
