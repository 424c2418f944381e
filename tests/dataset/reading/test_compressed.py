"""Compressed files are known by their first bytes, and read as far as they go."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ftbridge.dataset import check, prepare, read_examples
from ftbridge.errors import InputError, MissingExtra


def rows(count: int) -> bytes:
    """Chats that do not become much smaller."""
    chance = Random(0)
    texts = (f"{chance.getrandbits(2000):x}" for _ in range(count))
    chats = ([{"role": "user", "content": text}, {"role": "assistant", "content": "y"}] for text in texts)
    return "".join(json.dumps({"messages": chat}) + "\n" for chat in chats).encode()


def zstd(data: bytes) -> bytes:
    compressed: bytes = pytest.importorskip("zstandard").compress(data)
    return compressed


COMPRESSIONS = pytest.mark.parametrize("compress", [gzip.compress, zstd], ids=["gzip", "zstd"])
Compress = Callable[[bytes], bytes]


@COMPRESSIONS
@pytest.mark.parametrize("name", ["data.jsonl.gz", "data.jsonl.zst", "data.jsonl", "data"])
def test_compressed_files_are_read_whatever_their_name(tmp_path: Path, compress: Compress, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(compress(rows(2000)) + compress(rows(1000)))
    assert check(path).examples == 3000
    assert check(path, workers=2).examples == 3000
    assert prepare(path, tmp_path / "out", dedupe="none", workers=2, validation=0).train.examples == 3000


@COMPRESSIONS
def test_a_compressed_table_is_read(tmp_path: Path, compress: Compress) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(compress(b"prompt,completion\na,b\n"))
    assert check(path).examples == 1


@COMPRESSIONS
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_truncated_file_is_read_up_to_its_end(tmp_path: Path, compress: Compress, share: float) -> None:
    plain = rows(3000)
    whole = compress(plain)
    path = tmp_path / "data.jsonl"
    path.write_bytes(whole[: int(share * len(whole))])
    lines: list[int] = []
    with pytest.raises(InputError, match=r"cannot be read beyond line [\d,]+: \w") as caught:
        lines.extend(line for line, _ in read_examples(path))
    read = len(lines)
    assert f" beyond line {read:,}: " in caught.value.message
    unread = sum(map(len, plain.splitlines(keepends=True)[read:]))
    assert unread < (1 - share) * len(plain) + 2**18


@COMPRESSIONS
def test_a_truncated_table_is_reported(tmp_path: Path, compress: Compress) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(compress(b"prompt,completion\n" + rows(50).replace(b'"', b""))[:-500])
    with pytest.raises(InputError, match="the file cannot be read"):
        check(path)


@COMPRESSIONS
def test_a_damaged_file_is_reported(tmp_path: Path, compress: Compress) -> None:
    damaged = bytearray(compress(rows(3000)))
    damaged[50:90] = bytes(40)
    (tmp_path / "data.jsonl").write_bytes(damaged)
    with pytest.raises(InputError, match="the file cannot be read"):
        check(tmp_path / "data.jsonl")


def test_a_file_that_only_has_the_name_of_a_compressed_one_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl.gz").write_bytes(rows(3))
    assert check(tmp_path / "data.jsonl.gz").examples == 3


@COMPRESSIONS
def test_compressed_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, compress: Compress) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(compress(rows(300)))))
    assert check("-").examples == 300


def test_a_file_that_is_compressed_twice_is_one_finding(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl.gz").write_bytes(gzip.compress(gzip.compress(rows(3))))
    [finding] = check(tmp_path / "data.jsonl.gz").findings
    assert (finding.code, finding.fix) == ("compressed", "Decompress it first: gzip -dc FILE.")


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.jsonl.zst").write_bytes(zstd(rows(1)))
    missing: Any = None
    monkeypatch.setitem(sys.modules, "zstandard", missing)
    with pytest.raises(MissingExtra, match="needs the package zstandard") as caught:
        check(tmp_path / "data.jsonl.zst")
    assert "pip install" in caught.value.hint
