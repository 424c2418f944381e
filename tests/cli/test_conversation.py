"""What a person sees who talks to a tuned model on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ftbridge import Bridge, Job
from ftbridge.mock.vendors import MockVendors
from hosted_helpers import finished
from terminal import Terminal
from watching_helpers import OPENAI

ENTER, CTRL_D, UP = "\r", "\x04", "\x1b[A"


@pytest.fixture
def tuned(rows: Path, ftbridge_mock: MockVendors) -> Job:
    assert ftbridge_mock["openai"]
    with Bridge() as bridge:
        job = bridge.submit(rows, to=OPENAI, name="parrot")
        finished(bridge.provider_named("openai"), str(job.remote_id))
        [job] = bridge.refresh(job)
    return job


def at_the_prompt(answers: int) -> Callable[[list[str]], bool]:
    """Whether the cursor waits for a line, after so many lines that were answered."""
    return lambda shown: shown[-1] == ">" and sum(line.startswith("> ") for line in shown) == answers


def test_each_line_is_answered_and_what_was_said_is_known_until_a_new_conversation(tuned: Job) -> None:
    with Terminal("chat", tuned.id) as terminal:
        terminal.until(at_the_prompt(0))
        assert "Ctrl-D ends" in " ".join(terminal.shown)
        terminal.type("Say one." + ENTER)
        terminal.until(at_the_prompt(1))
        terminal.type(UP + ENTER)
        shown = terminal.until(at_the_prompt(2))
        assert [line for line in shown if line.startswith("> ")] == ["> Say one."] * 2
        assert all(shown[at + 1] for at, line in enumerate(shown) if line.startswith("> "))
        terminal.type("/new" + ENTER)
        terminal.until(at_the_prompt(3))
        terminal.type(CTRL_D)
        assert terminal.ended() == 0


def test_ctrl_c_at_the_prompt_does_not_end_the_conversation(tuned: Job) -> None:
    with Terminal("chat", tuned.id) as terminal:
        terminal.until(at_the_prompt(0))
        terminal.type("half a")
        terminal.until(lambda shown: shown[-1] == "> half a")
        terminal.press_ctrl_c()
        terminal.until(lambda shown: shown[-1] == ">")
        terminal.type("Say one." + ENTER)
        terminal.until(lambda shown: shown[-1] == ">" and "> Say one." in shown)
        terminal.type(CTRL_D)
        assert terminal.ended() == 0


def test_what_goes_wrong_with_a_prompt_is_said_and_the_next_one_is_answered(
    tuned: Job, ftbridge_mock: MockVendors
) -> None:
    with Terminal("chat", tuned.id) as terminal:
        terminal.until(at_the_prompt(0))
        ftbridge_mock["openai"].faults.add("chat=400")
        terminal.type("Say one." + ENTER)
        shown = terminal.until(at_the_prompt(1))
        assert any(line.startswith("error: openai answered 400") for line in shown)
        terminal.type("Say two." + ENTER)
        shown = terminal.until(at_the_prompt(2))
        assert shown[-3] == "> Say two."
        terminal.type(CTRL_D)
        assert terminal.ended() == 0
