"""The lines of a live watch: whatever the size of the terminal, no number, status or time is cut."""

from __future__ import annotations

import io
import re
import sys
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyte
import pytest
from rich.console import Console

from ftbridge.cli.live import Display, Pace, cells, grid, shown_live
from ftbridge.cli.output import print_message
from ftbridge.model import Event, Job, Latest, Spec, Status, Unclear

TARGETS = ("openai:gpt-4.1-mini-2025-04-14", "together:meta-llama/Meta-Llama-3.1-8B-Instruct-Reference", "local:tiny")
NAMES = (
    None,
    "longrun",
    "answers-to-tickets-of-the-second-quarter",
    "日本語の長い名前のジョブ日本語",
    "bad\x9b31m\u202ename",
)
AT = datetime(2026, 11, 29, 12, tzinfo=UTC)


def job(number: int, **fields: object) -> Job:
    target = TARGETS[number % len(TARGETS)]
    latest = Latest(step=1200 + number, total_steps=120_000, train_loss=1.234, valid_loss=2.345)
    known = {
        "id": f"ftb_{number:06}abcdef",
        "name": NAMES[number % len(NAMES)],
        "target": target,
        "status": Status.RUNNING,
        "created_at": AT,
        "spec": Spec(target=target, data=Path("rows.jsonl")),
        "latest": latest,
    }
    return Job.model_validate({**known, **fields})


def metrics(step: int, seconds: float) -> Event:
    return Event(at=AT + timedelta(seconds=seconds), kind="metric", step=step, total_steps=120_000)


def terminal(columns: int, lines: int = 24) -> Console:
    return Console(
        file=io.StringIO(),
        width=columns,
        height=lines,
        force_terminal=True,
        force_interactive=True,
        markup=False,
        highlight=False,
    )


def screen_of(console: Console) -> list[str]:
    """What a person sees of all that was written."""
    assert isinstance(console.file, io.StringIO)
    screen = pyte.HistoryScreen(console.width, console.height)
    pyte.Stream(screen).feed(console.file.getvalue().replace("\n", "\r\n"))
    return "\n".join(line.rstrip() for line in screen.display).rstrip().split("\n")


def drawn(jobs: list[Job], columns: int, lines: int = 24) -> list[str]:
    console = terminal(columns, lines)
    display = Display(console)
    for one in jobs:
        display.add(one, ())
    console.print(display)
    return screen_of(console)


@pytest.mark.parametrize("columns", [60, 80, 100, 140, 200])
@pytest.mark.parametrize("count", [1, 3, 15])
def test_every_job_has_a_line_with_its_numbers_whole(columns: int, count: int) -> None:
    shown = drawn([job(number) for number in range(count)], columns)
    assert len(shown) == count
    for number, line in enumerate(shown):
        assert line.startswith(f"ftb_{number:06}  ")
        assert f"running  {1200 + number}/120000" in re.sub(r"[━╸╺]+ +", "", line)
        assert len(line) <= columns - 3
        assert "\x9b" not in line
        assert "\u202e" not in line
        assert ("loss 1.234" in line) is (columns > 60)
        assert "valid 2.345" in line or columns < 100


def test_at_80_columns_names_are_seen_and_at_140_targets_too() -> None:
    narrow, wide = (drawn([job(1)], columns)[0] for columns in (80, 140))
    assert "longrun" in narrow
    assert TARGETS[1] not in narrow
    assert "longrun" in wide
    assert TARGETS[1] in wide


def test_what_a_terminal_of_24_lines_cannot_hold_is_counted() -> None:
    ended = [job(number, status=Status.SUCCEEDED) for number in range(30, 35)]
    shown = drawn([*ended, *(job(number) for number in range(30))], 80)
    assert len(shown) == 21
    assert shown[-1] == "and 10 more jobs, 5 of 35 jobs ended"


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"status": Status.PAUSED}, "paused"),
        ({"status": Status.SUBMITTING, "queue_position": 3}, "waits, 3."),
        ({"status": Status.SUBMITTING, "unclear": Unclear.OTHER_ACCOUNT}, "unclear"),
        ({"status": Status.UNKNOWN, "raw_status": "DEFRAGMENTING"}, "unknown"),
    ],
)
def test_every_status_is_a_short_word(fields: dict[str, object], word: str) -> None:
    assert cells(job(1, latest=Latest(), **fields), None)["status"] == word
    assert word in drawn([job(1, latest=Latest(), **fields)], 80)[0]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00 left"), (59.6, "1:00 left"), (250, "4:10 left"), (3850, "1:04:10 left"), (183_600, "2 d 3 h left")],
)
def test_the_time_left_is_shown_whole(seconds: float, shown: str) -> None:
    row = cells(job(2), timedelta(seconds=seconds))
    assert row["left"] == shown
    console = terminal(80)
    console.print(grid([row], 77))
    assert screen_of(console)[0].endswith(shown)


def test_the_time_left_is_by_the_newest_steps() -> None:
    pace = Pace(deque(maxlen=3))
    assert pace.time_left(100, AT) is None
    for step, seconds in ((0, 0), (10, 1000), (20, 1010), (30, 1020)):
        pace.add(metrics(step, seconds))
    now = AT + timedelta(seconds=1030)
    assert pace.time_left(100, now) == timedelta(seconds=60)
    assert pace.time_left(None, now) is None
    assert pace.time_left(30, now) == timedelta(0)
    pace.add(metrics(5, 1030))  # it was resumed from a checkpoint
    assert pace.time_left(100, now) is None


def test_messages_are_printed_above_and_the_display_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    console = terminal(80)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with shown_live(console) as display:
        display.add(job(1), ())
        print_message("note: the key is wrong; openai is asked again in 277 s, and this sentence is longer than a line")
        display.add(job(4), ())
        print_message("error: another")
        shown = screen_of(console)
        assert [line[:10] for line in shown] == ["note: the ", "longer tha", "error: ano", "ftb_000001", "ftb_000004"]
    shown = screen_of(console)
    assert len(shown) == 3
    assert shown[-1] == "error: another"


def test_messages_go_where_they_belong_while_stderr_is_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    console = terminal(80)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    with shown_live(console) as display:
        display.add(job(1), ())
        print_message("note: to the file")
        assert "note" not in "\n".join(screen_of(console))
    assert "note" not in "\n".join(screen_of(console))
