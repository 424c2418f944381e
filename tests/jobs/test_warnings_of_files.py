"""What is told of a job's files names the one that it is about, where there are two."""

from __future__ import annotations

from pathlib import Path

from ftbridge import Bridge
from small_data import write_rows

OPENAI = "mock+openai:gpt-4.1-mini-2025-04-14"
ROWS = [{"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": "a"}]} for n in range(12)]


def about(bridge: Bridge, words: str) -> list[str]:
    return [warning for warning in bridge.warnings if words in warning]


def test_each_of_two_files_is_named(bridge: Bridge, tmp_path: Path) -> None:
    training = write_rows(tmp_path / "train.jsonl", ROWS)
    validation = write_rows(tmp_path / "held.jsonl", [*ROWS[:2], {**ROWS[2], "id": 5}, *ROWS[3:10]])
    bridge.submit(training, OPENAI, validation=validation)
    assert about(bridge, "'id' means nothing") == [
        "validation file: line 3, $.id: 'id' means nothing for training and is left out"
    ]
    assert about(bridge, "12 examples") == [
        "training file: the file has 12 examples, and fewer than 50 rarely teach much"
    ]
    assert about(bridge, "are in the validation file as well")[0].startswith("training file: line 1: 10 rows")


def test_a_single_file_needs_no_name(bridge: Bridge, tmp_path: Path) -> None:
    bridge.submit(write_rows(tmp_path / "train.jsonl", ROWS), OPENAI)
    assert about(bridge, "12 examples") == ["the file has 12 examples, and fewer than 50 rarely teach much"]
