"""What a target takes of a whole file is told by check and by convert alike, before anything is sent."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import Diagnostics, FileLimits, check, convert
from ftbridge.dataset.canonical.example import Assistant, Chat, Example, Shape

ROW = b'{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}\n'
SHOUTED = ROW.replace(b'"y"', b'"LOUD"')


class Limited:
    """A target that shouts its answers, if it is to, and counts every example as one with images."""

    target = "limited"
    shapes: frozenset[Shape] = frozenset({"chat"})

    def __init__(self, limits: FileLimits, *, shouts: bool = False) -> None:
        self.limits = limits
        self.shouts = shouts

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        assert isinstance(example, Chat)
        diagnostics.with_images += 1
        if not self.shouts:
            return example
        diagnostics.changed("shouted")
        return Chat([*example.messages[:-1], Assistant("LOUD")])


def messages(path: Path, converter: Limited, workers: int = 1) -> list[str]:
    """The sentences about the whole file, which check and convert have to agree on."""
    checked = check(path, converters=[converter], workers=workers).findings
    converted = convert(path, converter, path.with_name("out.jsonl"), workers=workers).impossible
    assert [finding.message for finding in checked] == [finding.message for finding in converted]
    assert all((finding.line, finding.target) == (0, "limited") for finding in checked)
    return [finding.message for finding in checked]


@pytest.mark.parametrize("workers", [1, 2])
def test_too_few_too_many_with_images_and_too_large(tmp_path: Path, workers: int) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(ROW * 9)
    limits = FileLimits(fewest_examples=10, most_with_images=8, most_bytes=9 * len(ROW) - 1)
    assert messages(path, Limited(limits), workers) == [
        "the file has 9 valid examples, and limited requires at least 10",
        "the file has 9 examples with images, and limited takes at most 8",
        f"the file to be sent has {9 * len(ROW)} bytes, and limited takes at most {9 * len(ROW) - 1}",
    ]


def test_what_just_fits_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(ROW * 9)
    assert messages(path, Limited(FileLimits(fewest_examples=9, most_with_images=9, most_bytes=9 * len(ROW)))) == []


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".csv"])
@pytest.mark.parametrize("shouts", [False, True])
def test_the_size_is_that_of_what_is_sent(tmp_path: Path, suffix: str, shouts: bool) -> None:
    path = tmp_path / f"data{suffix}"
    alpaca = json.dumps({"prompt": "x", "completion": "y"}).encode() + b"\n"
    content = {".jsonl": alpaca * 5, ".jsonl.gz": gzip.compress(ROW * 5), ".csv": b"prompt,completion\n" + b"x,y\n" * 5}
    path.write_bytes(content[suffix])
    size = 5 * len(SHOUTED if shouts else ROW)
    assert messages(path, Limited(FileLimits(most_bytes=size), shouts=shouts)) == []
    assert f"has {size} bytes" in messages(path, Limited(FileLimits(most_bytes=size - 1), shouts=shouts))[0]
