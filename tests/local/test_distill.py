"""A model of this machine as the teacher."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ftbridge import Bridge
from small_data import write_rows


@pytest.fixture
def prompts(home: Path, tiny_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_home / "local" / "bases", home / "local" / "bases")
    return write_rows(tmp_path / "prompts.jsonl", [{"prompt": "Where is my order?"}])


def test_samples_differ_and_are_the_same_the_next_time(bridge: Bridge, prompts: Path) -> None:
    first = bridge.distill(prompts, "local:tiny", "first.jsonl", samples=8, max_tokens=60)
    assert first.rows > 1
    assert not bridge.warnings, "it costs nothing"
    again = bridge.distill(prompts, "local:tiny", "again.jsonl", samples=8, max_tokens=60, fresh=True)
    assert again.answers is not None
    assert again.answers.from_ledger == 0
    assert Path("again.jsonl").read_bytes() == Path("first.jsonl").read_bytes()
