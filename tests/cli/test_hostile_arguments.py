"""Junk in an option is refused with a sentence and exit code 2, before anything is sent: never SQL, never a bug."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from command_line import Cli, Ran
from ftbridge import Bridge
from ftbridge.dataset.reading.ranges import byte_ranges

MOCK = "mock+openai:gpt-4.1-mini-2025-04-14"
LONG, HUGE = "x" * 10_000, "9" * 30
SUBMIT = ("submit", "rows.jsonl", "--to", MOCK)
COMPARE = ("compare", "rows.jsonl", "--to", MOCK)
CHECK = ("check", "rows.jsonl")
MACHINE = ("compare", "rows.jsonl", "--to", "local:tiny")

# the command with an option at its end, and values that it refuses
REFUSED: list[tuple[tuple[str, ...], list[str]]] = [
    (("check",), ["", "nowhere.jsonl", LONG, "\udcff", "a\0b"]),
    ((*CHECK, "--to"), ["", "x", "-1", "a\nb:c", "\udcff", "openai:" + LONG, f"{LONG}:x", "local:\n"]),
    ((*CHECK, "--validation"), ["", "nowhere.jsonl", LONG]),
    ((*CHECK, "--method"), ["", "stf", "é☃", LONG]),
    ((*CHECK, "--grader"), ["", ".", "rows.jsonl", LONG]),
    ((*CHECK, "--workers"), ["", "0", "-1", "nan", "1.5", "é☃"]),
    ((*CHECK, "--format"), ["", "chta", LONG]),
    ((*CHECK, "--to", MOCK, "--tokenizer"), ["", ".", "rows.jsonl", LONG]),
    (("prepare", "rows.jsonl", "--out"), ["", "-", "rows.jsonl", LONG]),
    (("prepare", "rows.jsonl", "--out", "p", "--validation-split"), ["", "-1", "1", "nan", "inf", HUGE]),
    (("prepare", "rows.jsonl", "--out", "p", "--seed"), ["", "nan", "1.5"]),
    (("prepare", "rows.jsonl", "--out", "p", "--dedupe"), ["", "all"]),
    (("convert", "rows.jsonl", "--to", MOCK, "--out"), ["", "-", "/", ".", "pipe", LONG, "a\0b"]),
    ((*SUBMIT, "--idempotency-key"), ["", "a\nb", LONG, "\udcff"]),
    ((*SUBMIT, "--name"), ["", "a\nb", LONG, "\u202e"]),
    ((*SUBMIT, "--group"), ["", "a\nb", LONG]),
    ((*SUBMIT, "--max-cost"), ["", "-1", "nan", "inf", "1e400", "one"]),
    ((*SUBMIT, "--epochs"), ["", "0", "-1", "one", "1.5", "nan", HUGE]),
    ((*SUBMIT, "--learning-rate-multiplier"), ["", "0", "-1", "nan", "inf", "one"]),
    ((*SUBMIT, "--seed"), ["", "-1", HUGE]),
    ((*SUBMIT, "--validation"), ["", "nowhere.jsonl", LONG]),
    ((*SUBMIT, "--method", "rft", "--grader"), ["", "nowhere.json", "."]),
    (("run", "rows.jsonl", "--to", MOCK, "--out"), ["", "/", "rows.jsonl", LONG]),
    (("run", "rows.jsonl", "--to", MOCK, "--report"), ["", "pigeon:post", LONG]),
    ((*COMPARE, "--months"), ["", "-1", "nan", "inf", "99999999999999", HUGE]),
    ((*COMPARE, "--requests-per-month"), ["", "-1", "nan", "inf", HUGE]),
    ((*COMPARE, "--tokens-in"), ["-1", "nan", "inf", HUGE]),
    ((*COMPARE, "--plot"), ["", "plot.gif", "nowhere/plot.svg", LONG + ".svg"]),
    ((*MACHINE, "--machine-cost-per-hour"), ["-1", "nan", "inf"]),
    ((*MACHINE, "--electricity-price", "1", "--watts"), ["0", "nan", "inf"]),
    (("costs", "--month"), ["", "x", "2026-13", "0000-01", LONG]),
    (("costs", "--by"), ["", "colour"]),
    (("catalogue",), ["", "nobody", LONG]),
    (("import",), ["", "nobody", "\udcff", LONG]),
    (("import", "mock+openai", "--since"), ["", "yesterday", "2026-13-01"]),
    (("mock", "--port"), ["", "-1", "65536", "x"]),
    (("mock", "--speed"), ["", "0", "-1", "nan", "inf", HUGE]),
    (("mock", "--fault"), ["", "=", "create_job", "create_job=999"]),
    (("watch", "--listen"), ["", "0", "65536", "x"]),
    (("jobs", "--log-file"), ["", ".", "nowhere/x.log"]),
    (("recover", "--from-vendors", "--provider"), ["", "nobody", LONG]),
    (("show",), ["", "ftb_nothing", "é☃", "\udcff", LONG, "%", "a\nb"]),
    (("fetch",), ["", "ftb_nothing", "\udcff", LONG]),
    (("cancel",), ["", "ftb_nothing", "\udcff", LONG]),
]
CASES = [(words, value) for words, values in REFUSED for value in values]


def is_sentence(ran: Ran) -> bool:
    bad = ("This is a bug", "Traceback", "SELECT", "INSERT", "sqlite", "Input should", "Value error")
    return "\nerror: " in f"\n{ran.err}" and not any(word in ran.err for word in bad)


@pytest.fixture
def work(rows: Path) -> Path:
    os.mkfifo(rows.with_name("pipe"))
    return rows.parent


@pytest.mark.parametrize("command", REFUSED, ids=lambda command: " ".join(command[0][-2:]))
def test_junk_is_refused_with_a_sentence(here: Cli, work: Path, command: tuple[tuple[str, ...], list[str]]) -> None:
    words, values = command
    before = sorted(work.iterdir())
    for value in values:
        ran = here(*words, value)
        assert (ran.code, is_sentence(ran)) == (2, True), f"{value[:50]!r}: {ran}"
    assert sorted(work.iterdir()) == before
    with Bridge() as bridge:
        assert bridge.jobs() == []


def test_there_are_many_cases() -> None:
    assert len(CASES) > 150


def test_a_pipe_is_not_replaced_by_a_file(here: Cli, work: Path) -> None:
    ran = here("convert", "rows.jsonl", "--to", MOCK, "--out", "pipe")
    assert "pipe is a device or pipe" in ran.err
    assert (work / "pipe").is_fifo()


def test_more_workers_than_cores_gain_nothing_and_cost_nothing(here: Cli, work: Path) -> None:
    assert len(byte_ranges(work / "rows.jsonl", 10**30)) <= 4 * (os.cpu_count() or 1)
    ran = here("check", "rows.jsonl", "--format", "chta", "--workers", HUGE)
    assert ran.code == 2
    assert "there is no format" in ran.err
