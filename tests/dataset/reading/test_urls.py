"""A dataset that is named by a URL is copied here by fsspec, and then read like any other file."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.dataset.reading.elsewhere import is_url
from ftbridge.errors import InputError, MissingExtra
from ftbridge.testing import ROWS

MOCKED = "mock+openai:gpt-4.1-mini-2025-04-14"


@pytest.fixture
def url(data: Path) -> Iterator[str]:
    """The rows, compressed, in a file system in memory."""
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/rows.jsonl.gz", gzip.compress(data.read_bytes()))
    yield "memory://bucket/rows.jsonl.gz"
    memory.rm("/bucket", recursive=True)


def test_it_is_checked_as_the_same_file_here_is_and_no_copy_stays(
    bridge: Bridge, data: Path, url: str, home: Path
) -> None:
    found = bridge.check(url)
    assert (found.examples, found.findings) == (len(ROWS), bridge.check(data).findings)
    assert not any(file.is_file() for file in (home / "temporary").rglob("*"))


def test_a_job_keeps_the_copy_until_it_is_over(bridge: Bridge, data: Path, url: str, home: Path) -> None:
    job = bridge.submit(url, MOCKED)
    assert gzip.decompress(Path(job.spec.data).read_bytes()) == data.read_bytes()
    assert Path(job.spec.data).name.endswith(".jsonl.gz")
    same = bridge.submit(data, MOCKED)
    assert same.id == job.id, "the content is the same"
    for _job, _event in bridge.watch(job):
        pass
    assert not any((home / "prepared").glob("rows-*"))


def test_prepare_replaces_the_split_of_the_same_url_and_no_other(
    here: Cli, data: Path, url: str, tmp_path: Path
) -> None:
    assert here("prepare", url, "--out", tmp_path / "split").code == 0
    assert here("prepare", url, "--out", tmp_path / "split").code == 0
    other = here("prepare", data, "--out", tmp_path / "split")
    assert other.code == 2
    assert f"was made of {url}" in other.err


@pytest.mark.parametrize(
    ("name", "error", "message", "hint"),
    [
        ("memory://bucket/none.jsonl", InputError, "no such file: memory://bucket/none.jsonl", "Check the URL."),
        ("nope://bucket/rows.jsonl", InputError, "Protocol not known: nope", "copy the file here"),
        ("ssh://host/rows.jsonl", MissingExtra, "paramiko", "Install the package that it names with pip."),
        ("s3://bucket/rows.jsonl", MissingExtra, "Install s3fs to access S3", "pip install s3fs"),
    ],
)
def test_what_cannot_be_read_is_said_with_what_to_do(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, name: str, error: type[InputError], message: str, hint: str
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.setitem(sys.modules, "paramiko", None)
    with pytest.raises(error, match=message) as refused:
        bridge.check(name)
    assert hint in refused.value.hint


@pytest.mark.parametrize("path", ["rows.jsonl", "./s3:/rows.jsonl", "/a/b.jsonl", "-", "C:\\rows.jsonl"])
def test_a_path_is_no_url(path: str) -> None:
    assert not is_url(path)
