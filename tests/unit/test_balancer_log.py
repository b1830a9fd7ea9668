import pytest

from analysis.evidence.balancer_log import read_log
from analysis.evidence.request_ids import RequestIds
from analysis.evidence.request_rows import UNUSED
from scenarios.formats.columns import Column, header
from scenarios.formats.rows import Balanced
from tests.builders.evidence import balanced


def written(path, *lines):
    header = ",".join(Balanced._fields)
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def line(row):
    return ",".join(f'"{value}"' for value in row)


ROWS = [balanced(f"id-{number}", tag="a") for number in range(3)]


def test_a_sound_log_is_read_as_it_is(tmp_path):
    ids = RequestIds()
    frame, damaged = read_log(written(tmp_path / "balancer.csv", *map(line, ROWS)), ids)
    frame[Column.REQUEST_ID] = ids.texts(frame[Column.REQUEST_ID])
    assert damaged == 0
    assert set(frame) == set(header(Balanced)) - UNUSED
    written_rows = [dict(zip(header(Balanced), row, strict=True)) for row in ROWS]
    assert frame.to_dict("records") == [{name: row[name] for name in frame} for row in written_rows]


@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        ('"1795443246.214","12","3","4","id-9","PO', 1),
        ('"1795443246.214","12","3"', 1),
        (line(ROWS[0]) + ',"more"', 1),
        ('127.0.0.1 - - [23/Nov/2026:14:12:21 +0000] "POST /models HTTP/1.1" 201 200 "-" "-"', 1),
        ("not,a,log\n\x00\x01", 2),
        (",".join(line(ROWS[0]).split(",")[:11]), 1),
        (",".join(line(ROWS[0]).split(",")[:12]), 1),
        (",".join(line(ROWS[0]).split(",")[:17]), 1),
        (line(ROWS[0]).replace('"201"', '"99999999999999999999"', 1), 1),
        (line(ROWS[0]).replace('"201"', '"99999"', 1), 1),
        (line(ROWS[0]).replace('"201"', '"2_01"', 1), 1),
        (line(ROWS[0]).replace(f'"{ROWS[0].ended_s}"', '"nan"', 1), 1),
        (line(ROWS[0]).replace("201", "twohundred"), 1),
    ],
    ids=[
        "cut in half",
        "too short",
        "too long",
        "another format",
        "rubbish",
        "11 columns",
        "12 columns",
        "17 columns",
        "too large",
        "no status",
        "no digits",
        "no time",
        "words for numbers",
    ],
)
def test_damaged_lines_are_counted_and_the_others_kept(tmp_path, damage, lost):
    for lines in ([*map(line, ROWS), damage], [damage, *map(line, ROWS)]):
        ids = RequestIds()
        frame, damaged = read_log(written(tmp_path / "balancer.csv", *lines), ids)
        assert damaged == lost
        assert ids.texts(frame[Column.REQUEST_ID]) == ["id-0", "id-1", "id-2"]


def test_a_log_of_which_nothing_can_be_read_has_no_rows(tmp_path):
    frame, damaged = read_log(written(tmp_path / "balancer.csv", "nothing"), RequestIds())
    assert (len(frame), damaged) == (0, 1)
