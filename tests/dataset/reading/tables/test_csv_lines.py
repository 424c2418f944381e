"""Each row of a table is told by the line that it begins on, whatever stands before it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from ftbridge.dataset import check, prepare, read_examples
from ftbridge.dataset.canonical.example import Assistant, Chat, User
from ftbridge.dataset.reading.lines import Unread
from ftbridge.dataset.reading.tables.csv_lines import MAX_ROW
from ftbridge.dataset.reading.tables.csv_rows import csv_rows
from ftbridge.errors import InputError

HEADER = b"prompt,completion\n"
LONG = b"x" * (MAX_ROW + 1)
BAD = b"a,\xff\n"

PLACES = {
    "an over-long row on line 2": (HEADER + b"a," + LONG + b"\nc,d\n", [2]),
    "an over-long row on line 3": (HEADER + b"a,b\na," + LONG + b"\nc,d\n", [3]),
    "two over-long rows": (HEADER + b"a," + LONG + b"\nc,d\na," + LONG + b"\n", [2, 4]),
    "an over-long row in quotes, over three lines": (HEADER + b'a,b\na,"\n\n' + LONG + b"\nb,c\n", [3, 5]),
    "a row that is not UTF-8 after a cell of three lines": (HEADER + b'a,"b\n\nc"\n' + BAD, [5]),
    "a row of three lines that is not UTF-8": (HEADER + b'a,"b\n\xff\nc"\nd,e\n', [2]),
    "after blank lines": (HEADER + b"a,b\n\n\n" + BAD, [5]),
    "after a blank line under the header": (HEADER + b"\n" + BAD, [3]),
    "after blank lines above the header": (b"\n\n" + HEADER + BAD, [4]),
    "after a header of three lines": (b'prompt,completion,"a\n\nb"\n' + BAD, [4]),
    "after a byte order mark": (b"\xef\xbb\xbf" + HEADER + BAD, [2]),
    "with the line ends of Windows": (HEADER.replace(b"\n", b"\r\n") + b"a,b\r\na,\xff\r\n", [3]),
    "with blank lines of Windows": (HEADER.replace(b"\n", b"\r\n") + b"\r\n\r\na,\xff\r\n", [4]),
    "with lone carriage returns": (HEADER.replace(b"\n", b"\r") + b"a,b\rc,\xff\r", [3]),
    "on the last line without an end": (HEADER + b"a,b\nc,\xff", [3]),
    "a quote that is never closed": (HEADER + b'a,b\nc,"d\ne,f\n', [3]),
    "a quote in the header that is never closed": (b'prompt,"completion\na,b\n', [1]),
    "a header that is not UTF-8": (b"prompt,completion,\xff\na,b\n", [1]),
    "an over-long header": (LONG + b"\na,b\n", [1]),
    "UTF-16": ((HEADER + b"a,b\n").decode().encode("utf-16"), [1]),
}


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(("content", "lines"), PLACES.values(), ids=PLACES)
def test_what_cannot_be_read_is_told_on_its_line(
    tmp_path: Path, content: bytes, lines: list[int], compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(compress(content))
    assert [finding.line for finding in check(path).findings if finding.level == "error"] == lines


def test_the_other_rows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(HEADER + b"a,b\nc," + LONG + b"\n" + BAD + b"e,f\n")
    with path.open("rb") as file:
        rows = list(csv_rows(file))
    assert [(line, type(row)) for line, row in rows] == [(2, dict), (3, Unread), (4, Unread), (5, dict)]
    prepared = prepare(path, tmp_path / "out", validation=0)
    assert (prepared.train.examples, prepared.dropped) == (2, {"line_too_long": 1, "not_utf8": 1})


def test_the_byte_that_is_not_utf_8_is_counted_on_its_own_line(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(HEADER + b'a,"b\nc\xff"\n')
    [finding] = [finding for finding in check(path).findings if finding.code == "not_utf8"]
    assert finding.message == "byte 2 of line 3 (0xff) is not UTF-8"


def test_a_cell_beyond_the_header_is_refused_as_it_may_be_the_rest_of_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(HEADER + b"a,Well, no\na,b,, \n")
    report = check(path)
    assert report.examples == 1
    assert [(finding.line, finding.level, finding.code) for finding in report.findings] == [
        (2, "error", "beyond_header")
    ]


@pytest.mark.parametrize("header", [HEADER, b"text\n", b"messages,text\n"])
def test_cells_beyond_the_header_are_counted_whatever_the_format(tmp_path: Path, header: bytes) -> None:
    columns = header.count(b",") + 1
    (tmp_path / "data.csv").write_bytes(header + b"a" + b",b" * columns + b"\n")
    [finding] = check(tmp_path / "data.csv").findings
    cells, named = f"{columns + 1} cells", f"{columns} column{'s' * (columns > 1)}"
    assert (finding.line, finding.message) == (2, f"the row has {cells}, and the header {named}: 'b' is beyond them")
    assert finding.fix.startswith("Enclose a cell in quotes where it has the sign that separates cells")


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_the_numbers_of_rows_that_pandas_writes_first_are_left_out(tmp_path: Path, name: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(name.encode() + b"," + HEADER + b"0,a,b\n1,c,d\n")
    [finding] = check(path).findings
    assert (finding.code, finding.times) == ("key_not_read", 2)
    assert [example for _, example in read_examples(path)] == [
        Chat([User(question), Assistant(answer)]) for question, answer in ("ab", "cd")
    ]


def test_a_text_in_a_column_without_a_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"prompt,,completion,\na,b,c,d\n")
    [finding] = check(path).findings
    assert (finding.line, finding.code) == (2, "beyond_header")
    assert finding.message == "the cell 'b' is in column 2, which has no name in the header"


def test_a_table_of_blank_lines_ends(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(HEADER + b"\n" * 300_000)
    with pytest.raises(InputError, match="blank lines follow each other up to line"):
        check(path)
