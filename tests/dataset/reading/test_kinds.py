"""What a file is, its content tells, and its name only where that leaves it open."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ftbridge.dataset import check, read_examples
from ftbridge.dataset.canonical.example import Chat
from ftbridge.dataset.reading.kinds import Kind, kind_of
from ftbridge.errors import InputError
from planted_rows import GOOD

LINES = (json.dumps(GOOD) + "\n") * 3
ARRAY = json.dumps([GOOD] * 3, indent=1)
TABLE = "prompt,completion\n" + "a,b\n" * 3
TABS = TABLE.replace(",", "\t")
NAMES = [
    "data.json",
    "data.jsonl",
    "data.ndjson",
    "data.csv",
    "data.tsv",
    "data.txt",
    "data",
    "data.parquet",
    "data.xlsx",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [LINES, ARRAY], ids=["lines", "array"])
def test_json_is_read_whatever_its_name(tmp_path: Path, content: str, name: str) -> None:
    (tmp_path / name).write_text(content)
    assert check(tmp_path / name).examples == 3


@pytest.mark.parametrize(
    ("first", "rows"),
    [
        ("{", 1),
        ('{"messages":', 1),
        ('{"messages": [', 1),
        ('{"messages": [{"role": "user", "content": "a"},', 1),
        ('{"messages": [{"role": "user", "content": "a', 2),
        ('{"messages": [}', 2),
        ('{"messages": tru', 2),
        ('{"messages": []}', 2),
        ('{"a": 1} {', 2),
    ],
)
def test_a_row_goes_on_after_its_first_line_only_where_that_breaks_off_between_values(first: str, rows: int) -> None:
    kind = kind_of(f"{first}\n  1\n]}}\n".encode(), ".json")
    assert kind is (Kind.DOCUMENT if rows == 1 else Kind.LINES)


@pytest.mark.parametrize("name", ["data.txt", "data", "DATA.CSV", "data.dat"])
@pytest.mark.parametrize("content", [TABLE, TABS], ids=["commas", "tabs"])
def test_a_table_is_known_by_its_header(tmp_path: Path, content: str, name: str) -> None:
    content = TABLE if name == "DATA.CSV" else content
    (tmp_path / name).write_text(content)
    assert check(tmp_path / name).examples == 3


@pytest.mark.parametrize("name", ["data.csv", "data.tsv", "data.txt", "data"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_the_only_sign_between_the_names_of_columns_separates_the_cells(tmp_path: Path, name: str, sign: str) -> None:
    """Excel writes semicolons where numbers have commas; texts may have any sign."""
    text = '"a, b; c\td"'
    (tmp_path / name).write_text(f"prompt{sign}completion\r\n{text}{sign}e\r\n")
    [(_, example)] = read_examples(tmp_path / name)
    assert isinstance(example, Chat)
    assert [message.content for message in example.messages] == ["a, b; c\td", "e"]


@pytest.mark.parametrize("header", ["prompt;completion,notes", "prompt;com,pletion"])
def test_a_header_with_two_such_signs_is_read_as_the_name_of_the_file_says_and_refused(
    tmp_path: Path, header: str
) -> None:
    (tmp_path / "data.csv").write_text(f"{header}\na;b,c\n")
    assert check(tmp_path / "data.csv").format == "unknown"


def test_a_comma_in_the_quoted_name_of_a_column_does_not_separate(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text('prompt;completion;"notes, mine"\na;b;\n')
    assert check(tmp_path / "data.csv").examples == 1


@pytest.mark.parametrize("name", ["data.csv", "data.jsonl", "data"])
def test_parquet_and_excel_are_known_by_their_first_bytes(tmp_path: Path, name: str) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.Table.from_pylist([{"prompt": "a", "completion": "b"}] * 3), tmp_path / name)
    assert check(tmp_path / name).examples == 3
    book = pytest.importorskip("openpyxl").Workbook()
    for row in (["prompt", "completion"], ["a", "b"]):
        book.active.append(row)
    book.save(tmp_path / name)
    assert check(tmp_path / name).examples == 1


def test_a_line_that_is_broken_does_not_make_lines_a_document(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text('{"messages": [\n' + LINES)
    report = check(tmp_path / "data.jsonl")
    assert (report.examples, [(finding.line, finding.code) for finding in report.findings]) == (3, [(1, "json")])


def test_words_before_lines_do_not_make_them_a_table(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("exported today, by me\n" + LINES)
    report = check(tmp_path / "data")
    assert (report.examples, [(finding.line, finding.code) for finding in report.findings]) == (3, [(1, "json")])


ENCODINGS = {
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
    "utf-32": "UTF-32",
    "utf-32-le": "UTF-32LE",
    "utf-32-be": "UTF-32BE",
}


@pytest.mark.parametrize("name", ["data.jsonl", "data.csv"])
@pytest.mark.parametrize(("encoding", "known_as"), ENCODINGS.items())
def test_a_wide_encoding_is_named_with_the_command_that_mends_it(
    tmp_path: Path, encoding: str, known_as: str, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes((TABLE if name == "data.csv" else LINES).encode(encoding))
    [finding] = check(path).findings
    assert (finding.line, finding.code, finding.message) == (1, "not_utf8", f"the file is {known_as}, not UTF-8")
    assert finding.fix == f"Convert it: iconv -f {known_as} -t UTF-8 FILE > NEW."
    if shutil.which("iconv"):
        command = finding.fix.removeprefix("Convert it: ").removesuffix(".").split()[:5]
        made = subprocess.run([*command, str(path)], capture_output=True, check=True).stdout
        path.write_bytes(made)
        assert check(path).examples == 3


FOREIGN = {
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(100), "Save it as .xlsx"),
    "an Arrow file": (b"ARROW1\0\0" + bytes(100), "Write it as Parquet"),
}


@pytest.mark.parametrize(("content", "fix"), FOREIGN.values(), ids=FOREIGN)
def test_what_is_not_read_is_named(tmp_path: Path, content: bytes, fix: str) -> None:
    (tmp_path / "data").write_bytes(content)
    [finding] = check(tmp_path / "data").findings
    assert (finding.code, fix in finding.fix) == ("not_read", True)


def test_a_zip_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text(LINES)
    shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "data.jsonl")
    with pytest.raises(InputError, match="the file is a zip archive") as caught:
        check(tmp_path / "packed.zip")
    assert "unzip" in caught.value.hint


@pytest.mark.parametrize("content", [LINES, ARRAY, TABLE, TABS], ids=["lines", "array", "commas", "tabs"])
@pytest.mark.parametrize("packed", [False, True])
def test_standard_input_is_known_by_its_content(monkeypatch: pytest.MonkeyPatch, content: str, packed: bool) -> None:
    data = gzip.compress(content.encode()) if packed else content.encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert check("-").examples == 3
