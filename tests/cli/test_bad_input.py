"""Bad input is normal input: a sentence, the line, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from command_line import Cli

GOOD = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
LINE = json.dumps(GOOD)


def chat(*messages: dict[str, Any], **more: Any) -> str:
    return json.dumps({"messages": list(messages), **more})


USER = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": "Hello"}

# what is in the file after two good lines, the line it is found on, the path, and words of the sentence
BAD_LINES = {
    "broken JSON": ('{"messages": [', 3, "$", ["JSON"]),
    "a list": ("[1, 2]", 3, "$", ["list", "object"]),
    "an unknown role": (chat({"role": "robot", "content": "Hi"}, ANSWER), 3, "$.messages[0].role", ["robot", "role"]),
    "no assistant turn": (chat(USER), 3, "$.messages", ["assistant"]),
    "empty messages": (chat(), 3, "$.messages", ["no messages"]),
    "content of the wrong type": (chat({"role": "user", "content": 5}, ANSWER), 3, "$.messages[0].content", ["5"]),
    "an unknown key": (chat(USER, ANSWER, extra=1), 3, "$.extra", ["extra"]),
    "an unknown key of a message": (chat({**USER, "mood": 1}, ANSWER), 3, "$.messages[0].mood", ["mood"]),
    "NaN": ('{"messages": NaN}', 3, "$", ["NaN"]),
    "another shape": ('{"text": "Hi"}', 3, "$", ["line 1", "text"]),
    "a trained weight that is neither 0 nor 1": (
        chat(USER, {**ANSWER, "weight": 2}), 3, "$.messages[1].weight", ["0 or 1", "2"],
    ),
    "nothing trained": (chat(USER, {**ANSWER, "weight": 0}), 3, "$.messages", ["weight"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_bad_line_is_found_where_it_is(here: Cli, tmp_path: Path, case: str) -> None:
    text, line, path, words = BAD_LINES[case]
    file = tmp_path / "bad.jsonl"
    file.write_text(f"{LINE}\n{LINE}\n{text}\n{LINE}\n", "utf-8")
    ran = here("check", file, "--json")
    assert ran.code == 1
    report = ran.json
    assert report["errors"] == 1
    assert report["examples"] == 3
    [finding] = [finding for finding in report["findings"] if finding["level"] == "error"]
    assert (finding["line"], finding["path"]) == (line, path)
    for word in words:
        assert word in finding["message"] + finding["fix"]
    assert finding["fix"]


def test_submitting_it_is_refused_with_the_line_and_nothing_is_made(here: Cli, tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(f"{LINE}\n{chat(USER)}\n", "utf-8")
    ran = here("submit", file, "--to", "local:tiny")
    assert ran.code == 1
    assert "line 2" in ran.err
    assert "assistant" in ran.err
    as_json = here("submit", file, "--to", "local:tiny", "--json").json
    assert as_json["error"]["type"] == "DataError"
    assert as_json["error"]["line"] == 2
    assert here("jobs", "--json").json["jobs"] == []


@pytest.mark.parametrize(
    ("content", "words", "line"),
    [
        (b"", ["no examples"], 0),
        (b"\n\n", ["no examples"], 0),
        (LINE.encode() + b"\n" + LINE.encode().replace(b"Hi", b"\xff\xfe") + b"\n", ["UTF-8"], 2),
    ],
    ids=["empty", "blank lines only", "not UTF-8"],
)
def test_a_file_without_readable_examples_is_not_ready(
    here: Cli, tmp_path: Path, content: bytes, words: list[str], line: int
) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_bytes(content)
    ran = here("check", file, "--json")
    assert ran.code == 1
    errors = [finding for finding in ran.json["findings"] if finding["level"] == "error"]
    assert [finding["line"] for finding in errors] == [line]
    for word in words:
        assert word in errors[0]["message"]


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b""], ids=["BOM", "no BOM"])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"], ids=["CRLF", "LF"])
def test_a_bom_and_crlf_are_accepted(here: Cli, tmp_path: Path, before: bytes, end: bytes) -> None:
    file = tmp_path / "windows.jsonl"
    file.write_bytes(before + end.join([LINE.encode()] * 3) + end)
    ran = here("check", file, "--json")
    assert ran.code == 0
    assert ran.json["examples"] == 3
    assert ran.json["errors"] == 0


def test_a_line_of_20_megabytes_is_read(here: Cli, tmp_path: Path) -> None:
    file = tmp_path / "long.jsonl"
    file.write_text(chat({"role": "user", "content": "x" * 20_000_000}, ANSWER) + f"\n{LINE}\n", "utf-8")
    ran = here("check", file, "--json")
    assert ran.code == 0
    assert ran.json["examples"] == 2


def test_a_line_beyond_the_limit_is_refused_and_the_next_is_read(here: Cli, tmp_path: Path) -> None:
    file = tmp_path / "too-long.jsonl"
    file.write_text(chat({"role": "user", "content": "x" * 40_000_000}, ANSWER) + f"\n{LINE}\n", "utf-8")
    ran = here("check", file, "--json")
    assert ran.code == 1
    errors = [finding for finding in ran.json["findings"] if finding["level"] == "error"]
    assert [finding["line"] for finding in errors] == [1]
    assert "32 MB" in errors[0]["message"]
    assert ran.json["examples"] == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["check", "nowhere.jsonl"], "nowhere.jsonl"),
        (["check", "."], "directory"),
        (["submit", "rows.jsonl", "--to", "local:tiny", "--epochs", "0"], "epochs = 0 cannot be used"),
        (["submit", "rows.jsonl", "--to", "local:tiny", "--epochs", "many"], "--epochs"),
        (["submit", "rows.jsonl", "--to", "local:tiny", "--beta", "0.1"], "beta is a setting of dpo"),
        (["submit", "rows.jsonl", "--to", "nonsense"], "'nonsense' is not a target"),
        (["submit", "rows.jsonl", "--to", "nobody:x"], "no provider is called 'nobody'"),
        (["submit", "rows.jsonl", "--to", "local:/nowhere"], "/nowhere"),
        (["submit", "nowhere.jsonl", "--to", "local:tiny"], "nowhere.jsonl"),
        (["submit", "rows.jsonl"], "--to"),
        (["show", "ftb_nothing"], "no job 'ftb_nothing'"),
        (["fetch", "last"], "no job 'last'"),
        (["frobnicate"], "frobnicate"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("rows")
def test_bad_usage_says_what_is_wrong_and_exits_with_2(here: Cli, words: list[str], sentence: str) -> None:
    ran = here(*words)
    assert ran.code == 2
    assert sentence in ran.err
    as_json = here(*words, "--json")
    assert as_json.code == 2
    assert sentence in as_json.json["error"]["message"]
    assert as_json.json["error"]["hint"]


def test_a_home_that_cannot_be_written_is_named(here: Cli, home: Path, rows: Path) -> None:
    home.parent.mkdir(exist_ok=True)
    home.write_text("a file, where a folder should be", "utf-8")
    ran = here("submit", rows, "--to", "local:tiny")
    assert ran.code == 2
    assert f"the home folder {home} cannot be used" in ran.err
    assert "FTBRIDGE_HOME" in ran.err


def test_an_answer_that_does_not_fit_the_context_is_an_error(here: Cli, tmp_path: Path) -> None:
    file = tmp_path / "long.jsonl"
    long = chat({"role": "user", "content": "tell me more " * 5000}, ANSWER)
    file.write_text(f"{LINE}\n{long}\n{LINE}\n", "utf-8")
    ran = here("check", file, "--to", "local:tiny", "--json")
    assert ran.code == 1
    [finding] = [finding for finding in ran.json["findings"] if finding["level"] == "error"]
    assert finding["line"] == 2
    assert finding["target"] == "local:tiny"
    assert "no part of its answers is left" in finding["message"]


def test_control_characters_and_markup_do_not_reach_the_terminal(here: Cli, tmp_path: Path) -> None:
    file = tmp_path / "steering.jsonl"
    role = "\x1b[31m\x1b]8;;http://evil\x07[bold red]robot[/]\u202e"
    file.write_text(chat({"role": role, "content": "Hi"}, ANSWER) + "\n", "utf-8")
    ran = here("check", file)
    assert ran.code == 1
    assert not {"\x1b", "\x07", "\u202e"} & set(ran.out + ran.err)
    assert "[bold red]robot[/]" in ran.out


def test_help_and_every_command_explain_themselves(here: Cli) -> None:
    ran = here("--help")
    assert ran.code == 0
    for command in ("demo", "check", "submit", "run", "jobs", "show", "watch", "events", "cancel", "fetch", "chat"):
        assert f"\u2502 {command} " in ran.out
        explained = here(command, "--help")
        assert explained.code == 0
        assert f"Usage: ftbridge {command}" in explained.out
        lines = "on each line" in " ".join(explained.out.split())
        assert lines is (command in ("watch", "events"))
