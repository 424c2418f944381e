"""A quote that is never closed is told on its line, and no valid table is taken for such a one."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from as_it_is import AsItIs
from ftbridge.dataset import check, convert, prepare
from ftbridge.dataset.reading.lines import Unread
from ftbridge.dataset.reading.tables.csv_rows import csv_rows
from ftbridge.errors import DataError

HEADER = "prompt,completion\n"


def read(text: str, separator: str = ",") -> list[tuple[int, Any]]:
    return list(csv_rows(cast(BinaryIO, io.BytesIO(text.encode())), separator))


def errors(text: str) -> list[tuple[int, str]]:
    return [(line, row.code) for line, row in read(text) if isinstance(row, Unread)]


def test_the_rows_behind_an_open_quote_are_not_swallowed(tmp_path: Path) -> None:
    """Twelve rows: on line 4 a quote is opened, and on line 9 another one."""
    rows = [f"q{n},a{n}" for n in range(1, 13)]
    rows[2], rows[7] = 'q3,"quoted start', 'q8,"quoted answer"'
    (tmp_path / "data.csv").write_text(HEADER + "\n".join(rows) + "\n")
    report = check(tmp_path / "data.csv")
    assert report.examples == 11
    assert [(f.line, f.code) for f in report.findings if f.level == "error"] == [(4, "unclosed_quote")]


OPEN = {
    "closed by a quote that opens a cell": ('a,"b\nc,"d"\n', [2]),
    "closed by a quote that opens the first cell": ('a,"b\n"c",d\n', [2]),
    "closed by a cell that begins with a comma": ('a,"b\nc,", d"\n', [2]),
    "closed by a cell that begins with a line break": ('a,"b\nc,"\nd"\ne,f\n', [2]),
    "closed by a first cell that begins with a line break": ('a,"b\n"\nc",d\n', [2]),
    "passing an empty cell in quotes": ('a,"b\nc,""\nd,"e"\n', [2]),
    "passing a cell with quotes": ('a,"b\nc,"d ""e"" f"\n', [2]),
    "at the end": ('a,b\nc,"d', [3]),
    "at the end, over lines": ('a,b\nc,"d\ne,f\n', [3]),
    "in the second line of a row": ('"a\n1","b\nc,"d"\n', [3]),
    "twice": ('a,"b\nc,"d"\ne,"f\ng,"h"\n', [2, 4]),
    "in quotes that are not doubled": ('a,"he said "no""\nc,d\n', [2]),
    "after a cell over lines that ends with a comma": ('a,"b,\n"\nc,"d\ne,f\n', [4]),
}


@pytest.mark.parametrize(("rows", "lines"), OPEN.values(), ids=OPEN)
def test_an_open_quote_is_told_on_the_line_where_it_opens(rows: str, lines: list[int]) -> None:
    assert [line for line, _ in errors(HEADER + rows)] == lines
    assert [line for line, _ in errors((HEADER + rows).replace("\n", "\r\n"))] == lines


VALID = {
    "cells over lines": 'a,"b\nc"\n"d\ne","f\ng"\n',
    "a cell that ends with a line break": 'a,"b\n"\nc,d\n',
    "a cell that ends with a comma": 'a,"b,\nc,"\nd,e\n',
    "cells of line breaks alone": '"\n","\n\n"\n',
    "cells with rows of a table in them": 'a,"x,y\n1,2\n3,4\n"\nb,"x,y\n1,2"\n',
    "cells with quotes": 'a,"b ""c""\n""d"""\n"""e""",f\n',
    "empty cells in quotes": '"",a\nb,""\n"",""\n',
    "quotes in cells without quotes": 'a 5" pipe,b 6" pipe\nc"d,e"f\n',
    "an inch before a cell over lines": '5" pipe,"b\nc"\n',
}


@pytest.mark.parametrize("rows", VALID.values(), ids=VALID)
def test_a_valid_table_is_read_as_the_standard_library_reads_it(rows: str) -> None:
    assert errors(HEADER + rows) == []
    expected = list(csv.reader(io.StringIO(rows, newline="")))
    assert [list(row.values()) for _, row in read(HEADER + rows) if isinstance(row, dict)] == [
        [cell for cell in row if cell] for row in expected if any(map(str.strip, row))
    ]


signs = st.text('ab,;\t"\n\r \u00e9[{', max_size=8)
tables = st.lists(st.lists(signs, min_size=2, max_size=4), min_size=1, max_size=8)


@given(
    tables,
    st.sampled_from([",", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_no_table_that_a_library_writes_is_refused(rows: list[list[str]], separator: str, end: str, how: Any) -> None:
    assume(all(any(row) for row in rows))
    if end == "\n":  # the library then writes a carriage return without quotes
        assume(not any("\r" in cell for row in rows for cell in row))
    header = ["c1", "c2", "c3", "c4"]
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=separator, lineterminator=end, quoting=how)
    writer.writerows([header, *rows])
    found = read(written.getvalue(), separator)
    assert [line for line, row in found if isinstance(row, Unread)] == []
    cells = [list(row.values()) for _, row in found if isinstance(row, dict)]
    assert cells == [[cell for cell in row if cell] for row in rows if any(map(str.strip, row))]


words = st.tuples(st.text(",\n ", max_size=2), st.text("ab,\n ", max_size=5)).map("{0[0]}x{0[1]}y".format)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=6), st.data())
def test_a_closing_quote_that_is_lost_is_found(rows: list[tuple[str, str]], data: Any) -> None:
    """Every cell is quoted; the quote that closes the second cell of one row is left out."""
    lost = data.draw(st.integers(0, len(rows) - 1))
    lines = [f'"{first}","{second}"' for first, second in rows]
    lines[lost] = lines[lost][:-1]
    text = HEADER + "\n".join(lines) + "\n"
    opened = (HEADER + "\n".join([*lines[:lost], f'"{rows[lost][0]}","'])).count("\n") + 1
    assert (opened, "unclosed_quote") in errors(text)


def test_a_table_with_an_open_quote_is_neither_converted_nor_prepared(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(HEADER + 'a,b\nc,"d\ne,f\ng,"h"\n')
    with pytest.raises(DataError, match="has a quote that is never closed"):
        prepare(tmp_path / "data.csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    made = convert(tmp_path / "data.csv", AsItIs(), tmp_path / "out.jsonl")
    assert [finding.line for finding in made.impossible] == [3]


def test_many_rows_inside_an_open_quote_take_time_in_proportion(tmp_path: Path) -> None:
    """Going back must not read the same rows again and again."""
    text = HEADER + 'a,"b\n' * 20_000
    assert len(errors(text)) == 20_000
