"""What is removed, and what never is."""

import errno
from pathlib import Path

import pytest

from scenarios.run.old_reports import remove_old
from scenarios.spec.errors import UsageError
from tests.builders.old_reports import SECONDS, make


def left(kind):
    return sorted(path.name for path in kind.iterdir())


def test_the_newest_of_each_kind_stay(reports):
    for kind in ("baseline", "spike"):
        for second in SECONDS:
            make(reports / kind / second)
    removed = list(remove_old(reports, 2))
    assert left(reports / "baseline") == left(reports / "spike") == SECONDS[3:]
    assert [each.path.name for each in removed] == [*reversed(SECONDS[:3])] * 2
    assert all(each.size_bytes == 2 for each in removed)


def test_reports_of_the_same_second_are_as_old_as_their_numbers(reports):
    for name in (SECONDS[0], f"{SECONDS[0]}-2", f"{SECONDS[0]}-10"):
        make(reports / "baseline" / name)
    list(remove_old(reports, 1))
    assert left(reports / "baseline") == [f"{SECONDS[0]}-10"]


def test_what_is_latest_or_still_written_or_no_report_stays(reports):
    kind = reports / "baseline"
    for second in SECONDS[:3]:
        make(kind / second)
    make(kind / SECONDS[3], age_s=1)
    make(kind / SECONDS[4])
    make(kind / "mine")
    (kind / "notes.txt").write_text("mine")
    (kind / "latest").symlink_to(SECONDS[0])
    (kind / "2026-11-23T05-00-00Z").symlink_to(SECONDS[1])
    list(remove_old(reports, 1))
    kept = {SECONDS[0], SECONDS[3], SECONDS[4], "mine", "notes.txt", "latest", "2026-11-23T05-00-00Z"}
    assert set(left(kind)) == kept


def test_without_reports_there_is_nothing_to_clean(reports):
    with pytest.raises(UsageError, match="there are no reports"):
        list(remove_old(reports, 1))


def test_one_that_cannot_be_removed_is_named_and_the_others_go(reports, monkeypatch):
    stuck, old, _ = (make(reports / "baseline" / second) for second in SECONDS[:3])
    rename = Path.rename

    def refused(path, target):
        if path == stuck:
            raise PermissionError(errno.EACCES, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refused)
    faults = {each.path: each.fault for each in remove_old(reports, 1)}
    assert faults == {old: "", stuck: "Permission denied"}
    assert left(reports / "baseline") == [SECONDS[0], SECONDS[2]]


def test_what_is_half_gone_does_not_look_like_a_report_and_goes_the_next_time(reports):
    make(reports / "baseline" / f".removing-{SECONDS[0]}")
    make(reports / "baseline" / SECONDS[1])
    assert list(remove_old(reports, 1)) == []
    assert left(reports / "baseline") == [SECONDS[1]]
