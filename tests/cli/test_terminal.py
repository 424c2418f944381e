"""What a person sees who watches jobs on a terminal, and what a file gets instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ftbridge import Bridge, Job
from ftbridge.mock.vendors import MockVendors
from hosted_helpers import finished
from terminal import Terminal
from watching_helpers import OPENAI, TOGETHER

NO_KEY = {"TOGETHER_API_KEY": ""}


@pytest.fixture
def running(rows: Path, ftbridge_mock: MockVendors) -> list[Job]:
    """A named job at OpenAI, in the middle of its steps, and one at Together; time stands still there."""
    mock = ftbridge_mock["openai"]
    at = mock.now()
    vars(mock)["now"] = lambda: at
    with Bridge() as bridge:
        job, other = bridge.submit(rows, to=OPENAI, name="longrun", epochs=50), bridge.submit(rows, to=TOGETHER)
        while (job.latest.step or 0) < 3:
            at += 5 / mock.speed
            [job] = bridge.refresh(job)
        assert not job.status.final
    return [job, other]


@pytest.fixture
def over(rows: Path, ftbridge_mock: MockVendors) -> Job:
    """A job that is over at its vendor, which nobody here has seen."""
    with Bridge() as bridge:
        job = bridge.submit(rows, to=OPENAI, name="longrun")
        finished(bridge.provider_named("openai"), str(job.remote_id))
    return job


def line_of(job: Job) -> Callable[[list[str]], bool]:
    return lambda shown: any(is_line_of(job, line) for line in shown)


def is_line_of(job: Job, line: str) -> bool:
    """Whether it is the job's line in the display."""
    return line.startswith(f"{job.id[:10]}  ") and f"{job.latest.step}/{job.latest.total_steps}" in line


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (140, 40)])
def test_ctrl_c_leaves_one_sentence_and_notes_but_no_display(running: list[Job], columns: int, lines: int) -> None:
    job, other = running
    with Terminal("watch", *(one.id for one in running), columns=columns, lines=lines, environment=NO_KEY) as terminal:
        shown = terminal.until(line_of(job))
        [line] = [line for line in shown if is_line_of(job, line)]
        assert "longrun" in line
        assert "  loss " in line
        assert (job.target in line) is (columns == 140)
        terminal.until(lambda shown: any("no key for together" in line for line in shown))
        terminal.press_ctrl_c()
        assert terminal.ended() == 130
        text = "".join(terminal.everything)
        assert not any(line_of(one)(terminal.everything) for one in running)
        assert "note: there is no key for together" in text
        assert text.endswith("Stopped watching; jobs keep running. `ftbridge watch` watches again.")
        assert "interrupted" not in text
        assert "^C" not in text
        assert not terminal.cursor_hidden
    assert other.status is not job.status


def test_a_terminal_may_change_its_size(running: list[Job]) -> None:
    job, _other = running
    with Terminal("watch", job.id, columns=140, lines=40) as terminal:
        terminal.until(line_of(job))
        terminal.resize(60, 20)
        terminal.until(lambda shown: any(is_line_of(job, line) and "loss" not in line for line in shown))
        assert sum(is_line_of(job, line) for line in terminal.shown) == 1
        terminal.press_ctrl_c()
        assert terminal.ended() == 130
        assert not line_of(job)(terminal.everything)
        assert terminal.shown[-1].endswith("watches again.")


@pytest.mark.parametrize("environment", [{}, {"TERM": "dumb"}, {"NO_COLOR": "1"}], ids=["plain", "dumb", "no colour"])
def test_a_job_that_is_over_is_a_sentence_and_what_can_be_done_now(over: Job, environment: dict[str, str]) -> None:
    with Terminal("watch", over.id, environment=environment) as terminal:
        assert terminal.ended() == 0
        assert terminal.shown[0].startswith(f"{over.id} (longrun) has succeeded, step ")
        assert " ".join(terminal.shown[1:]).endswith("and `ftbridge fetch longrun` downloads the result.")
        assert (b"\x1b" in terminal.written) is (environment != {"TERM": "dumb"})
        assert b"[3" not in terminal.written or not environment


def test_a_file_gets_plain_lines_and_the_terminal_the_notes(running: list[Job], tmp_path: Path) -> None:
    [job, _other], file = running, tmp_path / "out.txt"
    with (
        file.open("wb") as out,
        Terminal("watch", *(one.id for one in running), stdout=out, environment=NO_KEY) as terminal,
    ):
        terminal.until(lambda shown: "note: there is no key for together" in "".join(shown))
        terminal.press_ctrl_c()
        assert terminal.ended() == 130
        assert terminal.shown[-1].endswith("watches again.")
        assert "interrupted" not in str(terminal)
    written = file.read_text("utf-8")
    assert written.splitlines()[0].startswith(f"{job.id} (longrun) is running, step {job.latest.step} of ")
    assert "\x1b" not in written


def test_notes_in_a_file_do_not_touch_the_display(running: list[Job], tmp_path: Path) -> None:
    [job, _other], file = running, tmp_path / "err.txt"
    with (
        file.open("wb") as err,
        Terminal("watch", *(one.id for one in running), stderr=err, environment=NO_KEY) as terminal,
    ):
        terminal.until(line_of(job))
        terminal.press_ctrl_c()
        assert terminal.ended() == 130
        assert not line_of(job)(terminal.everything)
        assert "note" not in str(terminal)
    assert "Stopped watching" in file.read_text("utf-8")
    assert "\x1b" not in file.read_text("utf-8")
