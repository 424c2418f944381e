"""What the commands about datasets print for people."""

from __future__ import annotations

import json
from pathlib import Path

from command_line import Cli


def rows(folder: Path) -> Path:
    path = folder / "data.jsonl"
    lines = [
        {"messages": [{"role": "user", "content": f"{n}"}, {"role": "assistant", "content": "yes"}]} for n in range(9)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, lines[0], {"messages": []}]))
    return path


def test_prepare_says_in_sentences_what_it_left_out(cli: Cli, tmp_path: Path) -> None:
    ran = cli("prepare", str(rows(tmp_path)), "--out", str(tmp_path / "out"))
    assert ran.code == 0
    assert "left out: 2 rows" in ran.out
    assert "line 10: the row says the same as line 1" in ran.out
    assert "line 11, $.messages: there are no messages" in ran.out


def test_several_workers_convert_to_the_same_bytes(cli: Cli, tmp_path: Path) -> None:
    data = rows(tmp_path)
    data.write_text("".join(data.read_text().splitlines(keepends=True)[:10]))
    for workers in ("1", "2"):
        ran = cli(
            "convert",
            str(data),
            "--to",
            "openai:gpt-4.1-mini-2025-04-14",
            "--out",
            str(tmp_path / workers),
            "--workers",
            workers,
        )
        assert ran.code == 0, ran.err
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes() == data.read_bytes()
