"""Packed files are known by their first bytes, and read as far as they go."""

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
    packed: bytes = pytest.importorskip("zstandard").compress(data)
    return packed


PACKINGS = pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gzip", "zstd"])
Pack = Callable[[bytes], bytes]


@PACKINGS
@pytest.mark.parametrize("name", ["data.jsonl.gz", "data.jsonl.zst", "data.jsonl", "data"])
def test_packed_files_are_read_whatever_their_name(tmp_path: Path, pack: Pack, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(pack(rows(2000)) + pack(rows(1000)))
    assert check(path).examples == 3000
    assert check(path, workers=2).examples == 3000
    assert prepare(path, tmp_path / "out", dedupe="none", workers=2, validation=0).train.examples == 3000


@PACKINGS
def test_a_packed_table_is_read(tmp_path: Path, pack: Pack) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(pack(b"prompt,completion\na,b\n"))
    assert check(path).examples == 1


@PACKINGS
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_packed_file_that_breaks_off_is_read_up_to_there(tmp_path: Path, pack: Pack, share: float) -> None:
    plain = rows(3000)
    whole = pack(plain)
    path = tmp_path / "data.jsonl"
    path.write_bytes(whole[: int(share * len(whole))])
    lines: list[int] = []
    with pytest.raises(InputError, match=r"cannot be read beyond line [\d,]+: \w") as caught:
        lines.extend(line for line, _ in read_examples(path))
    read = len(lines)
    assert f" beyond line {read:,}: " in caught.value.message
    unread = sum(map(len, plain.splitlines(keepends=True)[read:]))
    assert unread < (1 - share) * len(plain) + 2**18


@PACKINGS
def test_a_packed_table_that_breaks_off_is_said(tmp_path: Path, pack: Pack) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(pack(b"prompt,completion\n" + rows(50).replace(b'"', b""))[:-500])
    with pytest.raises(InputError, match="the file cannot be read"):
        check(path)


@PACKINGS
def test_a_damaged_file_is_said(tmp_path: Path, pack: Pack) -> None:
    damaged = bytearray(pack(rows(3000)))
    damaged[50:90] = bytes(40)
    (tmp_path / "data.jsonl").write_bytes(damaged)
    with pytest.raises(InputError, match="the file cannot be read"):
        check(tmp_path / "data.jsonl")


def test_what_only_claims_to_be_packed_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl.gz").write_bytes(rows(3))
    assert check(tmp_path / "data.jsonl.gz").examples == 3


def test_packed_standard_input_is_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(rows(300)))))
    [finding] = check("-").findings
    assert finding.code == "packed"
    assert "gzip -dc" in finding.fix


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.jsonl.zst").write_bytes(zstd(rows(1)))
    missing: Any = None
    monkeypatch.setitem(sys.modules, "zstandard", missing)
    with pytest.raises(MissingExtra, match="needs the package zstandard") as caught:
        check(tmp_path / "data.jsonl.zst")
    assert "pip install" in caught.value.hint
