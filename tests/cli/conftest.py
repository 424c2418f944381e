"""The command line and a small dataset to run it on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import Cli, Ran, in_this_process
from ftbridge.testing import ROWS
from small_data import write_rows


@pytest.fixture
def cli(home: Path) -> Cli:
    """Run `ftbridge` with these words in the working folder; no traceback may ever be seen."""

    def run(*words: str | Path, stdin: str = "", columns: int = 120) -> Ran:
        environment = {**os.environ, "FTBRIDGE_HOME": str(home), "COLUMNS": str(columns), "NO_COLOR": "1"}
        command = [sys.executable, "-m", "ftbridge", *map(str, words)]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, timeout=240)
        assert "Traceback" not in done.stdout + done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The same in this process, which spares its start."""
    return in_this_process(capsys, monkeypatch)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A small dataset that is right."""
    return write_rows(tmp_path / "work" / "rows.jsonl", ROWS)
