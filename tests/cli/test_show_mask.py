"""`check --show-mask`: what a person sees of a row, with and without colour, and what a program reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import Cli, in_this_process
from terminal import Terminal

GREEN = re.compile(r"\x1b\[30;(?:42|102)m(.*?)\x1b\[0m")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tiny_home: Path, tmp_path: Path) -> Cli:
    monkeypatch.setenv("FTBRIDGE_HOME", str(tiny_home))
    monkeypatch.chdir(tmp_path)
    return in_this_process(capsys, monkeypatch)


@pytest.fixture
def rows(tmp_path: Path) -> Callable[..., Path]:
    def make(*turns: tuple[str, str], more: Any = ()) -> Path:
        file = tmp_path / "rows.jsonl"
        chats = [{"messages": [said("user", asked), said("assistant", answer)]} for asked, answer in turns]
        file.write_text("".join(json.dumps(document) + "\n" for document in [*chats, *more]), "utf-8")
        return file

    return make


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def test_trained_lines_are_marked_and_the_end_is_named(cli: Cli, rows: Callable[..., Path]) -> None:
    ran = cli("check", rows(("Hi.", "Hello!\nWell?")), "--to", "local:tiny", "--show-mask")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "line 1: 15 tokens, 9 of them trained; the answer ends with <|end|> (id 1)",
        "  <|user|>Hi.<|end|><|assistant|>",
        "+ Hello!↵",
        "+ Well?<|end|>",
    ]


def test_a_program_gets_a_line_for_each_row(cli: Cli, rows: Callable[..., Path]) -> None:
    file = rows(("Hi.", "Hello!"), ("Bye.", "See you."), more=[{"messages": [said("user", "Hm.")]}])
    ran = cli("check", file, "--to", "local:tiny", "--show-mask", "--json")
    first, second, third = map(json.loads, ran.out.splitlines())
    assert ran.code == 1, "the third row has no answer"
    assert list(first) == ["line", "text", "tokens", "end"]
    assert (first["line"], first["end"], second["line"]) == (1, 1, 2)
    assert first["text"] == "<|user|>Hi.<|end|><|assistant|>Hello!<|end|>"
    assert first["tokens"][0] == {"id": 3, "text": "<|user|>", "trained": False}
    assert "".join(token["text"] for token in first["tokens"] if token["trained"]) == "Hello!<|end|>"
    assert (third["line"], third["errors"][0]["code"]) == (3, "no_assistant")


def test_one_line_can_be_named_and_is_then_shown_in_full(cli: Cli, rows: Callable[..., Path]) -> None:
    long = "\n".join(f"line {number}" for number in range(40))
    file = rows(("Hi.", long), ("Bye.", "See you."))
    first = cli("check", "--show-mask", file, "--to", "local:tiny").out
    assert "+ … 29 more lines" in first
    assert "+ See you.<|end|>" in first
    named = cli("check", file, "--to", "local:tiny", "--show-mask", "1").out
    assert "+ line 20↵" in named
    assert "See you." not in named
    assert cli("check", file, "--to", "local:tiny", "--show-mask=2").out.startswith("line 2: ")
    beyond = cli("check", file, "--to", "local:tiny", "--show-mask", "3")
    assert (beyond.code, beyond.err.splitlines()[0]) == (2, f"error: no row of {file} begins on line 3")


def test_where_only_the_vendor_knows_it_says_so(cli: Cli, rows: Callable[..., Path]) -> None:
    ran = cli("check", rows(("Hi.", "Hello!")), "--to", "mock+openai:gpt-4.1-mini-2025-04-14", "--show-mask")
    assert ran.code == 3
    assert ran.err.splitlines() == [
        "error: openai renders and masks rows on its own side, and does not tell how",
        "       --show-mask is for models that are trained on this machine.",
    ]
    two = cli("check", rows(("Hi.", "Hello!")), "--show-mask")
    assert (two.code, two.err.splitlines()[1]) == (2, "       Give --to local:MODEL, once.")


def test_a_row_with_a_key_in_use_is_not_shown(
    cli: Cli, rows: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "k7Gq-92hfX-0b2Rt-w81Lm"
    monkeypatch.setenv("SOME_API_KEY", key)
    for more in ((), ("--json",)):
        ran = cli("check", rows((f"Is it {key}?", "Yes.")), "--to", "local:tiny", "--show-mask", *more)
        assert ran.code == 1
        assert "the row holds an API key that is in use here, so it is not shown" in ran.out
        assert "k7Gq" not in ran.out


def on_a_terminal(file: Path, home: Path, **environment: str) -> Terminal:
    words = ("check", file, "--to", "local:tiny", "--show-mask")
    return Terminal(*words, lines=40, environment={"FTBRIDGE_HOME": str(home), **environment})


def test_on_a_terminal_lines_fit_and_trained_tokens_are_green(rows: Callable[..., Path], tiny_home: Path) -> None:
    file = rows(("Count. " * 40, "\x1b[31mred\u202e שלום 👩‍👩‍👧 \t" + "word " * 30))
    with on_a_terminal(file, tiny_home) as terminal:
        assert terminal.ended() == 0
    coloured = "".join(GREEN.findall(terminal.written.decode()))
    answer = "\\x1b[31mred\\u202e שלום 👩\\u200d👩\\u200d👧 \\t" + "word " * 30
    assert coloured.replace(" ", "") == (answer + "<|end|>").replace(" ", "")
    trained = [line for line in terminal.everything if line.startswith("+ ")]
    assert len(trained) == 3
    assert len(terminal.everything) == 1 + 4 + 3


def test_neighbouring_tokens_never_have_the_same_green(rows: Callable[..., Path], tiny_home: Path) -> None:
    with on_a_terminal(rows(("Hi.", "a🦄b")), tiny_home) as terminal:
        assert terminal.ended() == 0
    written = terminal.written.decode()
    greens = re.findall(r"\x1b\[30;(42|102)m(.*?)\x1b\[0m", written)
    assert greens == [("42", "a"), ("102", "🦄"), ("42", "b"), ("102", "<|end|>")]


def test_without_colour_the_margin_tells_what_is_trained(rows: Callable[..., Path], tiny_home: Path) -> None:
    with on_a_terminal(rows(("Hi.", "Hello!")), tiny_home, NO_COLOR="1") as terminal:
        assert terminal.ended() == 0
    assert b"\x1b[3" not in terminal.written
    assert b"\x1b[4" not in terminal.written
    assert terminal.everything[1:] == ["  <|user|>Hi.<|end|><|assistant|>", "+ Hello!<|end|>"]
