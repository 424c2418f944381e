"""JSON arrays and JSON over several lines are read row by row, as lines are."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from as_it_is import AsItIs
from ftbridge.dataset import check, convert, prepare, read_examples
from ftbridge.dataset.reading.json_document import json_rows
from ftbridge.errors import InputError
from planted_rows import ANSWER, GOOD, USER, chat

ROWS = [chat({**USER, "content": f'[{n}] "}}"\n'}, ANSWER) for n in range(5)]
LAYOUTS = {
    "an array on one line": json.dumps(ROWS),
    "an array of indented rows": json.dumps(ROWS, indent=2),
    "an array with a row on each line": "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
    "an array that begins on the line of its first row": "[" + ",\n".join(map(json.dumps, ROWS)) + "]",
    "an array without any space": json.dumps(ROWS, separators=(",", ":")),
    "an array with the line ends of Windows": json.dumps(ROWS, indent=1).replace("\n", "\r\n"),
    "an array after a byte order mark": "\ufeff" + json.dumps(ROWS, indent=2),
    "objects over several lines": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "an object without indentation over several lines": "\n".join(json.dumps(row, indent=0) for row in ROWS),
}


def written(folder: Path, text: str, name: str = "data.json") -> Path:
    (folder / name).write_text(text, newline="")
    return folder / name


def raw_rows(data: bytes) -> list[tuple[int, Any]]:
    return list(json_rows(cast(BinaryIO, io.BytesIO(data))))


@pytest.mark.parametrize("name", ["data.json", "data.jsonl", "data.txt", "data"])
@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_each_layout_has_the_same_examples_whatever_the_name(tmp_path: Path, text: str, name: str) -> None:
    expected = [example for _, example in read_examples(written(tmp_path, "\n".join(map(json.dumps, ROWS)), "lines"))]
    assert [example for _, example in read_examples(written(tmp_path, text, name))] == expected


def test_lines_by_the_name_of_an_array_are_lines(tmp_path: Path) -> None:
    report = check(written(tmp_path, "\n".join(map(json.dumps, [GOOD, chat(USER), GOOD]))))
    assert (report.examples, [finding.line for finding in report.findings]) == (2, [2])


def test_findings_name_the_line_on_which_the_row_begins(tmp_path: Path) -> None:
    text = json.dumps([GOOD, chat(USER), GOOD], indent=2)
    [finding] = check(written(tmp_path, text)).findings
    assert text.splitlines()[finding.line - 1] == "  {"
    assert json.dumps(GOOD, indent=2).count("\n") + 1 == finding.line - 2


def test_rows_of_an_array_on_one_line_are_counted(tmp_path: Path) -> None:
    report = check(written(tmp_path, json.dumps([GOOD, chat(USER), GOOD, 5, "a,]", GOOD])))
    errors = [(finding.line, finding.code) for finding in report.findings]
    assert errors == [(2, "no_assistant"), (4, "not_an_object"), (5, "not_an_object")]


BROKEN = {
    "a row with a comma too many": ('[{"a": 1,},\n{"b": 2}]', 1, "json", "not JSON at column"),
    "a row of several lines with a comma too many": ('[\n{"text": "a",\n}\n]', 2, "json", "column 1 of its line 2"),
    "no comma between two rows": ('[\n{"text": "a"}\n{"text": "b"}\n]', 3, "json", "there is not one comma"),
    "two commas between two rows": ('[\n{"text": "a"},,\n{"text": "b"}\n]', 3, "json", "there is not one comma"),
    "a comma and no array": ('{\n"text": "a"},\n{\n"text": "b"\n}', 3, "json", "there is a comma before this row"),
}


@pytest.mark.parametrize(("text", "line", "code", "sentence"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_told_on_its_line(tmp_path: Path, text: str, line: int, code: str, sentence: str) -> None:
    first = next(finding for finding in check(written(tmp_path, text), format="text").findings)
    assert (first.line, first.code) == (line, code)
    assert sentence in first.message


ENDLESS = {
    "a text that is not closed": ('[\n{"text": "a},\n{"text": "b"}\n]', 2, "a text is not closed on this line"),
    "a text with a line break": ('[\n{"text": "a\nb"},\n{"text": "b"}\n]', 2, "a text is not closed on this line"),
    "a bracket that is not closed": ('[\n{"text": "a"},\n{"text": "b",\n{"text": "c"}\n', 3, "the row is not closed"),
    "an array that is not closed": ('[\n{"text": "a"},\n{"text": "b"}\n', 4, "the array is not closed"),
    "more after the array": ('[\n{"text": "a"}\n]\n{"text": "b"}', 4, "there is more after the end of the array"),
    "a row that is cut off": ('[\n{"text": "a"},\n{"text": "b', 3, "a text is not closed"),
}


@pytest.mark.parametrize(("text", "line", "sentence"), ENDLESS.values(), ids=ENDLESS)
def test_where_the_end_of_a_row_is_not_known_reading_ends(tmp_path: Path, text: str, line: int, sentence: str) -> None:
    with pytest.raises(InputError, match=f"cannot be read beyond line {line}: {sentence}"):
        check(written(tmp_path, text))


def test_a_wrapped_array_is_refused_by_its_keys(tmp_path: Path) -> None:
    [finding] = check(written(tmp_path, json.dumps({"version": 1, "data": ROWS}, indent=1))).findings
    assert (finding.code, "'version', 'data'" in finding.message) == ("unknown_format", True)


def test_repeated_keys_are_found_in_arrays_too(tmp_path: Path) -> None:
    text = json.dumps([GOOD, GOOD], indent=1).replace('"role": "user"', '"role": "user", "role": "user"', 1)
    report = check(written(tmp_path, text), converters=[AsItIs()])
    assert "repeated_key" in {finding.code for finding in report.findings}


def test_an_array_is_converted_to_lines(tmp_path: Path) -> None:
    made = convert(written(tmp_path, LAYOUTS["an array of indented rows"]), AsItIs(), tmp_path / "out.jsonl")
    assert made.exact == len(ROWS)
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()] == ROWS


def test_an_array_is_prepared(tmp_path: Path) -> None:
    made = prepare(written(tmp_path, json.dumps([GOOD, *ROWS, GOOD])), tmp_path / "out", validation=0)
    assert (made.train.examples, made.dropped) == (6, {"duplicate": 1})


def test_a_row_of_more_than_32_mb_is_refused_by_line(tmp_path: Path) -> None:
    path = written(tmp_path, "[\n" + json.dumps(GOOD) + ",\n" + json.dumps({"text": "x" * (33 * 2**20)}) + "]")
    with pytest.raises(InputError, match="the row that begins on line 3 is longer than 32 MB"):
        check(path)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(values, min_size=1, max_size=6), st.sampled_from([None, 0, 2]), st.booleans(), st.integers(1, 40))
def test_any_array_is_divided_where_json_divides_it(
    rows: list[Any], indent: int | None, is_ascii: bool, size: int
) -> None:
    data = json.dumps(rows, indent=indent, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ftbridge.dataset.reading.json_document._CHUNK", size)
        read = raw_rows(data)
    assert [json.loads(raw) for _, raw in read] == rows
    assert all(raw.count(b"\n") == 1 for _, raw in read)
    numbers = [number for number, _ in read]
    assert numbers == sorted(set(numbers))


@given(st.binary(max_size=80) | st.text('[]{},:"\\ \na1', max_size=80).map(str.encode))
def test_any_bytes_come_to_an_end(data: bytes) -> None:
    for given_bytes in (data, b"[" + data):
        with suppress(InputError):
            raw_rows(given_bytes)


MEASURE = """
import re, sys
from pathlib import Path
from ftbridge.dataset import check
report = check(sys.argv[1])
[kilobytes] = re.findall(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
print(report.examples, int(kilobytes) // 1024)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the most memory that was used is told by Linux")
def test_a_large_array_on_one_line_takes_little_memory(tmp_path: Path) -> None:
    row, count = json.dumps(chat({**USER, "content": "x" * 2000}, ANSWER)), 25_000
    with (tmp_path / "data.json").open("w") as file:
        file.write("[" + row)
        file.writelines([", " + row] * (count - 1))
        file.write("]")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "data.json")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    examples, megabytes = map(int, done.stdout.split())
    assert examples == count
    assert megabytes < 100
