"""What comes through a pipe is read as a file would be, as often as a command needs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from command_line import Cli
from ftbridge.dataset import check
from ftbridge.errors import InputError
from planted_rows import ANSWER, USER, chat

ROWS = [chat({**USER, "content": f"q{n % 15}"}, ANSWER) for n in range(20)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
TARGET = "openai:gpt-4.1-mini-2025-04-14"


def in_bash(command: str, folder: Path, data: bytes = LINES) -> subprocess.CompletedProcess[str]:
    """Run `ftbridge` as people do, in a shell, in a folder with `data`."""
    (folder / "data").write_bytes(data)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "FTBRIDGE_HOME": str(folder / "home"),
        "TMPDIR": str(folder),
    }
    script = f'ftbridge() {{ "{sys.executable}" -m ftbridge "$@"; }}; {command}'
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def parquet(rows: list[dict[str, Any]]) -> bytes:
    arrow, library = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    written = arrow.BufferOutputStream()
    library.write_table(arrow.Table.from_pylist(rows), written)
    data: bytes = written.getvalue().to_pybytes()
    return data


@pytest.mark.parametrize("source", ["<(cat data)", "- < data", "/dev/stdin < data", "/dev/stdin < <(cat data)", "pipe"])
def test_check_finds_the_same_wherever_the_rows_come_from(tmp_path: Path, source: str) -> None:
    feeding = "mkfifo pipe; cat data > pipe & " if source == "pipe" else ""
    ran = in_bash(f"{feeding} ftbridge check --json {source}", tmp_path)
    report = json.loads(ran.stdout)
    assert report["examples"] == 20
    assert [finding["message"] for finding in report["findings"] if finding["code"] == "duplicates"] == [
        "5 rows repeat an earlier one"
    ]


@pytest.mark.parametrize("source", ["<(cat data)", "- < data", "- < <(cat data)", "/dev/stdin < data"])
def test_compare_reads_a_pipe_as_often_as_it_must(tmp_path: Path, source: str) -> None:
    ran = in_bash(f"ftbridge compare --to {TARGET} --to together:Qwen/Qwen3-8B --json {source}", tmp_path)
    assert [row["examples"] for row in json.loads(ran.stdout)["rows"]] == [20, 20], ran.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"data", "home", "work"}
    assert list((tmp_path / "home").glob("temporary/*")) == []


def test_submit_takes_a_pipe(tmp_path: Path) -> None:
    ran = in_bash(f"ftbridge submit <(cat data) --to mock+{TARGET} --validation <(head -n 12 data) --json", tmp_path)
    assert json.loads(ran.stdout)["id"].startswith("ftb_"), ran.stderr
    assert "17 rows are in the validation file as well" in ran.stderr


@pytest.mark.parametrize(
    "command", ["convert <(cat data) --to local:tiny --out out.jsonl", "prepare - --out out < data"]
)
def test_a_pipe_is_converted_and_prepared(tmp_path: Path, command: str) -> None:
    ran = in_bash(f"ftbridge {command}", tmp_path)
    assert (ran.returncode, ran.stderr) == (0, ""), ran


def test_an_array_a_table_and_parquet_come_through_pipes_too(tmp_path: Path) -> None:
    pairs = [{"prompt": f"q{n}", "completion": "a"} for n in range(12)]
    table = "prompt,completion\n" + "".join(f"q{n},a\n" for n in range(12))
    for data in (json.dumps(pairs, indent=1).encode(), table.encode(), parquet(pairs)):
        for source in ("<(cat data)", "- < data", "- < <(cat data)"):
            ran = in_bash(f"ftbridge check --json {source}", tmp_path, data)
            assert json.loads(ran.stdout)["examples"] == 12, ran


def test_a_first_byte_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    ran = in_bash("ftbridge check --json <(head -c 1 data; sleep 0.3; tail -c +2 data)", tmp_path)
    assert json.loads(ran.stdout)["examples"] == 20


def test_a_named_pipe_without_a_writer_is_an_error_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftbridge.dataset.reading.opening._PATIENCE", 0.05)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"no program has written into the named pipe .*pipe for 0.05 seconds"):
        check(tmp_path / "pipe")


def test_a_named_pipe_whose_writer_is_slow_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftbridge.dataset.reading.opening._PATIENCE", 0.2)
    os.mkfifo(tmp_path / "pipe")
    late = threading.Event()

    def write() -> None:
        with (tmp_path / "pipe").open("wb") as pipe:
            late.wait(0.6)
            pipe.write(LINES)

    writer = threading.Thread(target=write)
    writer.start()
    assert check(tmp_path / "pipe").examples == 20
    writer.join()


def test_a_named_pipe_by_the_name_of_a_table_is_one(here: Cli, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.csv")
    writer = threading.Thread(target=(tmp_path / "rows.csv").write_text, args=["question,answer\na,b\n"])
    writer.start()
    ran = here("check", tmp_path / "rows.csv", "--map", "question=prompt", "--map", "answer=completion", "--json")
    writer.join()
    assert json.loads(ran.out)["examples"] == 1
