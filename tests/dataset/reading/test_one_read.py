"""However much is to be learned about a file, it is opened once and each row is decoded once."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.dataset import Diagnostics, FileLimits, TokenTally, advise, check, convert, count_tokens, guess
from ftbridge.dataset.canonical.example import Assistant, Chat, Example, Shape, User
from ftbridge.dataset.reading.batch import Batch
from ftbridge.dataset.reading.opening import open_file
from planted_rows import ANSWER, GOOD, USER, chat, write


class Lines:
    """An observer that keeps everything it sees."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, Example, bytes]] = []

    def observe(self, batch: Batch) -> None:
        self.seen += zip(batch.lines, batch.examples, batch.rows, strict=True)


class Loud:
    """A target that takes every answer in capitals, and no questions about the weather."""

    target = "loud"
    shapes: frozenset[Shape] = frozenset({"chat"})
    limits = FileLimits()

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        assert isinstance(example, Chat)
        question, answer = example.messages
        if question.content == "weather":
            diagnostics.error("$.messages[0]", "weather", "it is about the weather", "Ask for something else.")
        diagnostics.changed("louder")
        return Chat([question, Assistant(str(answer.content).upper())])


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was opened to read a dataset from it."""
    counts: Counter[str] = Counter()

    def counting(path: str | Path) -> Any:
        counts[Path(path).name] += 1
        return open_file(path)

    monkeypatch.setattr("ftbridge.dataset.reading.source.open_file", counting)
    return counts


def test_an_observer_sees_the_valid_examples_in_order(tmp_path: Path) -> None:
    lines = Lines()
    report = check(write(tmp_path, GOOD, chat(USER), "", GOOD), observers=[lines])
    assert (report.examples, [line for line, _, _ in lines.seen]) == (2, [1, 4])
    assert [json.loads(data) for _, _, data in lines.seen] == [GOOD, GOOD]


def test_an_observer_sees_the_same_of_a_file_that_several_processes_check(tmp_path: Path) -> None:
    path = write(tmp_path, *[chat({**USER, "content": f"q{n}"}, ANSWER) for n in range(30)])
    one, two = Lines(), Lines()
    assert check(path, observers=[one]) == check(path, observers=[two], workers=2)
    assert one.seen == two.seen


def test_what_is_sent_is_observed_as_it_is_sent(tmp_path: Path) -> None:
    read, sent = Lines(), Lines()
    path = write(tmp_path, GOOD, chat({**USER, "content": "weather"}, ANSWER))
    convert(path, Loud(), tmp_path / "out", observers=[read], sent_observers=[sent])
    assert [line for line, _, _ in read.seen] == [1, 2]
    assert [(line, example) for line, example, _ in sent.seen] == [(1, Chat([User("Hello"), Assistant("HI")]))]
    assert json.loads(sent.seen[0][2])["messages"][1]["content"] == "HI"


def test_observers_do_not_change_what_is_converted(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, GOOD)
    alone = convert(path, Loud(), tmp_path / "a")
    observed = convert(path, Loud(), tmp_path / "b", observers=[Lines()], sent_observers=[Lines()], workers=2)
    assert (observed.key, observed.changed) == (alone.key, alone.changed)


def test_a_tally_of_the_pass_counts_as_the_file_alone(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, chat(USER), GOOD)
    for exact in (True, False):
        tally = TokenTally(guess(), exact=exact)
        check(path, observers=[tally])
        assert tally.count() == count_tokens(path, guess(), exact=exact)


@pytest.mark.parametrize("exact", [[], ["--max-cost", "100"]])
def test_a_submission_opens_each_file_once(
    opened: Counter[str], here: Cli, vendors: Any, tmp_path: Path, exact: list[str]
) -> None:
    data = write(tmp_path, *[chat({**USER, "content": f"q{n}"}, ANSWER) for n in range(60)])
    held = data.with_name("held.jsonl")
    held.write_bytes(data.read_bytes()[: data.read_bytes().index(b"\n") + 1] * 10)
    ran = here("submit", data, "--to", "openai:gpt-4.1-mini-2025-04-14", "--validation", held, *exact)
    assert ran.code == 0, ran.err
    assert opened == {"data.jsonl": 1, "held.jsonl": 1}
    assert "1 row is in the validation file as well" in ran.err


def test_a_check_opens_the_file_once(opened: Counter[str], here: Cli, tmp_path: Path) -> None:
    data = write(tmp_path, *[GOOD] * 20)
    ran = here("check", data, "--to", "openai:gpt-4.1-mini-2025-04-14", "--to", "together:Qwen/Qwen3-8B", "--json")
    assert opened == {"data.jsonl": 1}
    document = json.loads(ran.out)
    assert [count["tokens"] > 0 for count in document["tokens"]] == [True, True]
    assert "duplicates" in {finding["code"] for finding in document["findings"]}


def test_standard_input_is_read_once(opened: Counter[str], monkeypatch: pytest.MonkeyPatch, bridge: Bridge) -> None:
    lines = b"".join(json.dumps(GOOD).encode() + b"\n" for _ in range(20))
    stream: BinaryIO = io.BytesIO(lines)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stream))
    report = bridge.check("-", ["openai:gpt-4.1-mini-2025-04-14"], tokens=True)
    assert opened == {"-": 1}
    assert report.tokens["openai:gpt-4.1-mini-2025-04-14"].examples == 20
    assert "duplicates" in {finding.code for finding in report.findings}


def test_advice_names_overlap_where_it_begins(tmp_path: Path) -> None:
    rows = [chat({**USER, "content": f"q{n}"}, ANSWER) for n in range(60)]
    rows[2] = rows[1]
    rows[9] = chat(USER, {**ANSWER, "content": "write to ann@example.org"})
    held = tmp_path / "held"
    held.mkdir()
    found = advise(write(tmp_path, *rows), validation=write(held, rows[5], rows[9], rows[30]))
    assert [(finding.line, finding.code) for finding in found[:3]] == [(3, "duplicates"), (6, "overlap"), (10, "email")]
