"""Each command that explains an error really ends with it, and with its exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]  # it has no types
import pytest

from command_line import Cli
from ftbridge import errors
from ftbridge.docs import explanations
from ftbridge.mock.vendors import MockVendors
from ftbridge.testing import ROWS
from small_data import write_rows
from third_party import install

EXAMPLES = {code: one for code, one in explanations().items() if one.kind == "errors" and one.example}
WITHOUT_EXAMPLE = {"ProviderError", "AskedToWait", "NotReached", "FtbridgeError", "TrainingNotAvailable", "NotStarted"}
"""Kinds of other errors, and what takes a vendor, a network or a bug that no command can bring about."""
OPENAI = "mock+openai:gpt-4.1-mini-2025-04-14"


def a_damaged_ledger(home: Path, here: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    (home / "ledger.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 5000)


def a_cancelled_job(home: Path, here: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "1")  # so that it still runs
    assert here("submit", "rows.jsonl", "--to", OPENAI).code == 0
    assert here("cancel", "last").code == 0


def a_workbook_and_no_reader(home: Path, here: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    openpyxl.Workbook().save("rows.xlsx")
    monkeypatch.setitem(sys.modules, "openpyxl", None)


def a_broken_plugin(home: Path, here: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    entry_point = "[ftbridge.providers]\nbroken = broken_plugin:Broken\n"
    install(Path.cwd(), monkeypatch, "broken", entry_point, broken_plugin="raise RuntimeError('broken')\n")


def the_vendor_itself(home: Path, here: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")


BEFORE: dict[str, Callable[[Path, Cli, pytest.MonkeyPatch], None]] = {
    "LedgerDamaged": a_damaged_ledger,
    "JobFailed": a_cancelled_job,
    "Unsupported": a_cancelled_job,
    "MissingExtra": a_workbook_and_no_reader,
    "BrokenPlugin": a_broken_plugin,
    "ProviderRetired": the_vendor_itself,
}


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_command_ends_with_the_error(
    code: str, home: Path, here: Cli, vendors: MockVendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = EXAMPLES[code]
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "6000")
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-11-30")
    write_rows(Path("rows.jsonl"), ROWS)
    Path("wrong.jsonl").write_text('{"messages": []}\n', "utf-8")
    Path("tokenizer.json").write_text("{}", "utf-8")
    if code in BEFORE:
        BEFORE[code](home, here, monkeypatch)
    for name, value in one.environment.items():
        monkeypatch.setenv(name, value)
    if "import openai" in (one.example or "") and (fault := one.environment.get("FTBRIDGE_MOCK_FAULTS")):
        vendors["openai"].faults.add(fault)  # the vendor's own name leads to the mock that is served here
    ran = here(*(one.example or "").split()[1:], "--json")
    assert ran.json["error"]["type"] == code
    assert ran.json["error"]["hint"]
    assert ran.code == getattr(errors, code).exit_code


def test_every_other_error_has_an_example() -> None:
    others = {code for code, one in explanations().items() if one.kind == "errors"} - set(EXAMPLES)
    assert others == WITHOUT_EXAMPLE
