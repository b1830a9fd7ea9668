"""The command that removes old reports."""

from tests.builders.commands import scenarios
from tests.builders.old_reports import SECONDS, make


def test_clean_reports_says_what_it_removed(reports):
    old, new = (make(reports / "baseline" / second) for second in SECONDS[:2])
    ended = scenarios("clean-reports", "--keep", 1, "--reports", reports)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0] == f"removed {old}"
    assert "1 removed" in ended.stdout
    assert new.exists()
    assert scenarios("clean-reports", "--keep", 0, "--reports", reports).returncode == 2
