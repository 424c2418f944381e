"""Whatever bytes stand in a file, reading it ends with examples, findings or an error of ftbridge's own.

There is a target for each kind of file; `make fuzz` tries many more bytes. What it has found is kept as an example.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ftbridge.dataset import Report, Survey, check, count_tokens, guess, prepare, tokenizer_json
from ftbridge.errors import FtbridgeError
from hostile_data.rows import LINE, SURROGATE, nested, with_parameters
from planted_rows import GOOD

depths = st.integers(1, 1200)
pieces = st.sampled_from(
    [
        b'"',
        b",",
        b"\n",
        b"\r",
        b"\r\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\x00",
        b"\xff",
        b"prompt",
        b"completion",
        b"[{",
        b"a",
    ]
)
changes = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=20)


def read_in_every_way(data: bytes, suffix: str) -> None:
    """Nothing but an `FtbridgeError` may be raised, and what is found can be printed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"data{suffix}"
        path.write_bytes(data)
        with suppress(FtbridgeError):
            assert_printable(check(path))
        with suppress(FtbridgeError):
            prepare(path, Path(folder) / "out")
        with suppress(FtbridgeError):
            count_tokens(path, guess(), exact=True)
        with suppress(FtbridgeError):
            Survey(path)


def assert_printable(report: Report) -> None:
    assert all(finding.message.isprintable() and finding.path.isprintable() for finding in report.findings)
    assert all(finding.fix.isprintable() and finding.line >= 0 for finding in report.findings)
    assert report.errors >= sum(finding.level == "error" for finding in report.findings)


def changed(data: bytes, how: list[tuple[int, int]]) -> bytes:
    """The data with other bytes in some places."""
    made = bytearray(data)
    for place, byte in how:
        made[place % len(made)] = byte
    return bytes(made)


@given(st.binary(max_size=300) | st.lists(pieces | st.binary(max_size=5), max_size=30).map(b"".join))
def test_lines(data: bytes) -> None:
    read_in_every_way(data, ".jsonl")


@given(depths, st.sampled_from(["1", SURROGATE, "NaN", '"', ""]), st.sampled_from([("[", "]"), ('{"a":', "}")]))
@example(600, SURROGATE, ("[", "]"))
@example(980, "1", ('{"a":', "}"))
def test_lines_of_any_depth(depth: int, inside: str, brackets: tuple[str, str]) -> None:
    deep = nested(depth, inside, *brackets)
    read_in_every_way(b"\n".join([deep.encode(), with_parameters(deep).encode(), LINE]), ".jsonl")


@given(st.lists(pieces | st.binary(max_size=5), max_size=60).map(b"".join), st.sampled_from([".csv", ".tsv"]))
@example(b'"', ".csv")
@example(b'prompt,completion\na,"b\r\r\xff', ".csv")
def test_tables(data: bytes, suffix: str) -> None:
    read_in_every_way(data, suffix)
    read_in_every_way(b"prompt,completion\n" + data, suffix)


@given(st.sampled_from(["gzip", "zstd"]), changes, st.integers(0, 200))
def test_compressed_files(kind: str, how: list[tuple[int, int]], cut: int) -> None:
    lines = b"".join(json.dumps({**GOOD, "n": n}).encode() + b"\n" for n in range(20))
    data = gzip.compress(lines, mtime=0) if kind == "gzip" else pytest.importorskip("zstandard").compress(lines)
    kept = data[:4] + changed(data[4:], how)
    read_in_every_way(kept[: len(kept) - cut], ".jsonl")


@given(changes, st.integers(0, 50))
def test_parquet(how: list[tuple[int, int]], cut: int) -> None:
    data = small_parquet()
    kept = changed(data[:-8], how) + data[-8:]
    read_in_every_way(kept[: len(kept) - cut], ".parquet")


def small_parquet() -> bytes:
    """A small file with a column of chats, one of dates and one of maps."""
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")

    columns = {
        "messages": [GOOD["messages"]] * 5,
        "on": arrow.array(range(5), arrow.date32()),
        "more": arrow.array([[("a", "b")]] * 5, arrow.map_(arrow.string(), arrow.string())),
    }
    written = arrow.BufferOutputStream()
    parquet.write_table(arrow.table(columns), written)
    data: bytes = written.getvalue().to_pybytes()
    return data


tokenizers: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("version model type vocab merges BPE added_tokens normalizer".split()), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=100) | tokenizers.map(lambda made: json.dumps(made).encode()))
def test_vocabularies(data: bytes) -> None:
    pytest.importorskip("tokenizers")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.json"
        path.write_bytes(data)
        with suppress(FtbridgeError):
            tokenizer_json(path).length("some text")
