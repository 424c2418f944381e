"""What happens is logged under the `ftbridge` logger, and goes where --log-file and --verbose say."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge import Bridge

TARGET = "mock+openai:gpt-4.1-mini-2025-04-14"
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} (INFO|WARNING|ERROR) ftbridge\.[\w.]+: .+")


@pytest.fixture(autouse=True)
def speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "600")


def test_a_job_leaves_its_way_in_the_log_file(here: Cli, rows: Path, tmp_path: Path) -> None:
    log = tmp_path / "ftbridge.log"
    job = here("submit", rows, "--to", TARGET, "--log-file", log).out.strip()
    assert here(f"--log-file={log}", "watch", job).code == 0
    lines = log.read_text("utf-8").splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    for message in (f"{job}: submitting to {TARGET}", f"{job}: succeeded"):
        assert any(message in line for line in lines)
    assert "step 1" not in log.read_text("utf-8")  # metrics would fill it


def test_warnings_and_errors_are_logged_and_printed_once(
    here: Cli, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-11-22")
    log = tmp_path / "ftbridge.log"
    ran = here("submit", rows, "--to", "openai:gpt-4.1-mini-2025-04-14", "--log-file", log, "-v")
    assert ran.code != 0
    text = log.read_text("utf-8")
    for line in ran.err.splitlines():
        kind, _colon, message = line.partition(": ")
        if kind in ("note", "error"):
            assert f"{'WARNING' if kind == 'note' else 'ERROR'} " in text
            assert message in text
            assert ran.err.count(message) == 1


def test_verbose_prints_the_log_on_stderr(here: Cli, rows: Path) -> None:
    quiet, verbose = here("submit", rows, "--to", TARGET), here("--verbose", "submit", rows, "--to", TARGET, "--again")
    assert "info: " not in quiet.err
    assert f"info: {verbose.out.strip()}: submitting to {TARGET}" in verbose.err


def test_retries_are_reported_without_a_terminal(here: Cli, rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftbridge.provider.retry.FIRST_WAIT", 0.01)
    monkeypatch.setenv("FTBRIDGE_MOCK_FAULTS", "upload_file=500x3")
    ran = here("submit", rows, "--to", TARGET)
    assert ran.code == 0
    assert re.search(r"note: .*500.*; retrying in 0\.0 s", ran.err)
    assert ran.err.count("retrying") == 1  # the same reason is not repeated


def test_text_from_outside_cannot_begin_a_line_of_the_log(here: Cli, tmp_path: Path) -> None:
    log = tmp_path / "ftbridge.log"
    assert here("show", "nothing\n2026-11-29T00:00:00+0000 INFO forged\x1b[31m", "--log-file", log).code == 2
    lines = log.read_text("utf-8").splitlines()
    assert not any(line.startswith("2026-11-29T00:00:00+0000 INFO forged") for line in lines)
    assert "\x1b" not in log.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["jobs", "--log-file"], "--log-file needs the name of a file"),
        (["--log-file", "--json", "jobs"], "--log-file needs the name of a file"),
        (["jobs", "--log-file", "/nowhere/ftbridge.log"], "there is no folder /nowhere"),
    ],
)
def test_a_log_file_that_cannot_be_used_is_a_usage_error(here: Cli, words: list[str], message: str) -> None:
    ran = here(*words)
    assert ran.code == 2
    assert message in ran.out + ran.err


def test_options_after_two_dashes_belong_to_the_command(here: Cli, home: Path) -> None:
    ran = here("show", "--", "--verbose")
    assert ran.code == 2
    assert "there is no job '--verbose'" in ran.err


def test_a_library_that_configures_nothing_prints_nothing(capsys: pytest.CaptureFixture[str], rows: Path) -> None:
    handlers = logging.getLogger("ftbridge").handlers
    assert [type(handler) for handler in handlers] == [logging.NullHandler]
    with Bridge() as bridge:
        bridge.warn("careful")
        bridge.submit(rows, TARGET)
        assert bridge.warnings[0] == "careful"
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_two_mock_servers_print_nothing_of_their_own(here: Cli, rows: Path) -> None:
    ran = here("compare", rows, "--to", TARGET, "--to", "mock+together:Qwen/Qwen3-8B", "--live")
    assert "Started server process" not in ran.out + ran.err
    assert "Uvicorn" not in ran.out + ran.err
