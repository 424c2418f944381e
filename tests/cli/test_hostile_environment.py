"""Environment variables with junk in them: a sentence that names the variable, and the right exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge.catalogue import today

MOCK = "mock+openai:gpt-4.1-mini-2025-04-14"
SUBMIT = ("submit", "rows.jsonl", "--to", MOCK)
COMPARE = ("compare", "rows.jsonl", "--to", MOCK)
REAL = ("submit", "rows.jsonl", "--to", "openai:gpt-4.1-mini-2025-04-14")

# variable, values, a command that reads it
JUNK: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("SSL_CERT_FILE", ["/nowhere.pem", "rows.jsonl", ".", "x" * 10_000], SUBMIT),
    ("HTTP_PROXY", ["junk://x", "http://[::1", "http://:1", "http://x:99999", "ftp://x"], SUBMIT),
    ("HTTPS_PROXY", ["junk://user:hunter2@x", "http://"], SUBMIT),
    ("ALL_PROXY", ["junk://x"], SUBMIT),
    (
        "OPENAI_BASE_URL",
        ["http://[::1", "https://", "x" * 10_000, "ftp://x", "http://example.com", "https://x:99999"],
        REAL,
    ),
    (
        "FTBRIDGE_TODAY",
        ["x", "2027-13-01", "9999-12-31", "0001-01-01", "9" * 5000],
        ("compare", "rows.jsonl", "--to", MOCK),
    ),
    ("FTBRIDGE_MOCK_SPEED", ["x", "0", "-1", "nan", "inf", "1e400"], SUBMIT),
    ("FTBRIDGE_MOCK_FAULTS", ["x", "create_job=999", "=="], SUBMIT),
    ("FTBRIDGE_LEDGER", ["x", "sqlite:///x", "postgresql://[::1", "://", "9" * 10_000], ("jobs",)),
    ("FTBRIDGE_HOME", ["rows.jsonl", "/proc/1/nowhere", "x" * 300], ("jobs",)),
]


@pytest.mark.parametrize("case", JUNK, ids=lambda case: case[0])
def test_a_variable_with_junk_is_named(
    here: Cli, rows: Path, monkeypatch: pytest.MonkeyPatch, case: tuple[str, list[str], tuple[str, ...]]
) -> None:
    variable, values, words = case
    assert rows.exists()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    for value in values:
        monkeypatch.setenv(variable, value)
        ran = here(*words)
        assert ran.code == 2, f"{value[:50]!r}: {ran}"
        assert ran.err.startswith("error: ") or "\nerror: " in ran.err
        assert variable in ran.err or "home folder" in ran.err, f"{value[:50]!r}: {ran}"
        assert not any(word in ran.err for word in ("This is a bug", "Traceback", "hunter2", "SELECT"))


@pytest.mark.parametrize("columns", ["1", "0", "-5", "x", "9999"])
def test_a_terminal_of_any_width_is_written_to(here: Cli, rows: Path, columns: str) -> None:
    assert rows.exists()
    for words in (("--help",), ("providers",), COMPARE):
        ran = here(*words, columns=columns)
        assert ran.code == 0, ran
        assert "This is a bug" not in ran.err


def test_without_a_value_a_variable_is_as_if_it_were_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    before = today()
    monkeypatch.setenv("FTBRIDGE_TODAY", "")
    assert today() == before


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", ">/dev/full"])
def test_a_closed_or_full_output_is_no_bug(rows: Path, closed: str) -> None:
    command = f"{sys.executable} -m ftbridge check rows.jsonl --json {closed}"
    ran = subprocess.run(["sh", "-c", command], cwd=rows.parent, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in ran.stderr
    assert "This is a bug" not in ran.stderr
    assert ran.returncode in (0, 2)


def test_a_terminal_that_knows_ascii_alone_gets_escapes(rows: Path) -> None:
    (rows.parent / "é☃.jsonl").write_bytes(rows.read_bytes())
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    for words in (["check", "é☃.jsonl"], ["check", "é☃.jsonl", "--json"], ["check", "é☃"]):
        command = [sys.executable, "-m", "ftbridge", *words]
        ran = subprocess.run(command, cwd=rows.parent, env=plain, capture_output=True, timeout=120)
        assert ran.returncode in (0, 2), ran
        assert b"Traceback" not in ran.stderr
        assert b"This is a bug" not in ran.stderr
