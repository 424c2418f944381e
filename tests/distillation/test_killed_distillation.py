"""`distill` against a vendor that limits and fails, killed in the middle: the same command asks only the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ftbridge import Bridge
from ftbridge.ledger import count_answers
from scripted_teacher import TEACHER, Teacher

PROMPTS = 40


def stored(bridge: Bridge) -> int:
    return sum(count_answers(bridge.ledger).values())


def questions(teacher: Teacher) -> Counter[str]:
    return Counter(body["messages"][-1]["content"] for body in teacher.requests)


def test_a_killed_distillation_goes_on_where_it_was(
    bridge: Bridge, teacher: Teacher, prompts: Callable[..., Path]
) -> None:
    file, faults = prompts(*(f"question {number}" for number in range(PROMPTS))), teacher.vendors["openai"].faults
    faults.add("chat=429:0.01x3")
    words = [sys.executable, "-m", "ftbridge", "distill", str(file), "--teacher", TEACHER, "--out", "data.jsonl"]
    first = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while stored(bridge) <= PROMPTS // 4:
        assert first.poll() is None
        assert time.monotonic() < until
        time.sleep(0.002)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    kept, answered = stored(bridge), questions(teacher).total()
    assert PROMPTS // 4 < kept < PROMPTS
    assert not list(Path().glob("*")), "no part of a file"

    faults.add("chat=500x3")
    made = bridge.distill(file, TEACHER, "data.jsonl")
    assert (made.rows, made.questions) == (PROMPTS, PROMPTS - kept)
    assert questions(teacher).total() - answered == PROMPTS - kept
    content, asked = Path("data.jsonl").read_bytes(), questions(teacher)

    again = bridge.distill(file, TEACHER, "data.jsonl")
    assert again.answers is not None
    assert (again.questions, again.answers.from_ledger) == (0, PROMPTS)
    assert questions(teacher) == asked, "the same command asks nothing again"
    assert Path("data.jsonl").read_bytes() == content
    assert faults.left() == 0


def test_what_has_failed_for_now_is_asked_again_and_nothing_else(
    bridge: Bridge, teacher: Teacher, prompts: Callable[..., Path]
) -> None:
    file = prompts("one", "two", "three")
    teacher.vendors["openai"].faults.add("chat=500x6")  # so often is one question tried
    first = bridge.distill(file, TEACHER, "data.jsonl")
    failed = first.rejected["failed"]
    assert first.rows == 3 - failed
    second = bridge.distill(file, TEACHER, "data.jsonl")
    assert (second.questions, second.rows, second.rejected) == (failed, 3, {})
