"""What the commands about datasets print for people."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from command_line import Cli


def rows(folder: Path) -> Path:
    path = folder / "data.jsonl"
    lines = [
        {"messages": [{"role": "user", "content": f"{n}"}, {"role": "assistant", "content": "yes"}]} for n in range(9)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, lines[0], {"messages": []}]))
    return path


def test_prepare_says_in_sentences_what_it_left_out(here: Cli, tmp_path: Path) -> None:
    ran = here("prepare", str(rows(tmp_path)), "--out", str(tmp_path / "out"))
    assert ran.code == 0
    assert "dropped: 2 rows" in ran.out
    assert "line 10: the row is a duplicate of line 1" in ran.out
    assert "line 11, $.messages: there are no messages" in ran.out


def test_several_workers_convert_to_the_same_bytes(here: Cli, tmp_path: Path) -> None:
    data = rows(tmp_path)
    data.write_text("".join(data.read_text().splitlines(keepends=True)[:10]))
    for workers in ("1", "2"):
        ran = here(
            "convert",
            str(data),
            "--to",
            "openai:gpt-4.1-mini-2025-04-14",
            "--out",
            str(tmp_path / workers),
            "--workers",
            workers,
        )
        assert ran.code == 0, ran.err
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes() == data.read_bytes()


def test_a_hint_stands_by_the_lines_that_it_goes_for(here: Cli, tmp_path: Path) -> None:
    data = rows(tmp_path)
    kept = data.read_text().splitlines()[:1]
    sound = {"messages": json.loads(kept[0])["messages"]}
    spoilt = [{**sound, "bar": 1}, {**sound, "tool": []}, {**sound, "foo": 1}]
    data.write_text("\n".join([*kept, *map(json.dumps, spoilt)]) + "\n")
    lines = here("check", str(data)).out.splitlines()
    start = lines.index("error: unknown_key, 3 times")
    assert lines[start + 1 : start + 6] == [
        "  line 2, $.bar: 'bar' is not a key of a chat",
        "  and line 4",
        "  → Remove it, or read the file with --map KEY=unused: a chat has messages, tools, parallel_tool_calls.",
        "  line 3, $.tool: 'tool' is not a key of a chat",
        "  → Did you mean 'tools'?",
    ]


def test_many_hints_are_bounded(here: Cli, tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    answer = {"role": "tool", "tool_call_id": "b", "content": "x"}
    lines = []
    for number in range(9):
        call = {"id": f"call {number}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        asked = {"role": "assistant", "tool_calls": [call]}
        lines.append(json.dumps({"messages": [{"role": "user", "content": "x"}, asked, answer]}))
    data.write_text("\n".join(lines))
    shown = here("check", str(data)).out
    assert "error: tool_call_id, 9 times" in shown
    assert "  and 6 more with other hints, on lines 4, 5, 6, 7, 8, 9" in shown


def test_rows_for_another_method_lead_to_it(here: Cli, tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    answers = [[{"role": "assistant", "content": word}] for word in ("yes", "no")]
    row = {"input": {"messages": [{"role": "user", "content": "x"}]}}
    row |= {"preferred_output": answers[0], "non_preferred_output": answers[1]}  # type: ignore[dict-item]
    data.write_text((json.dumps(row) + "\n") * 12)
    ran = here("check", str(data), "--to", "openai:gpt-4.1-mini-2025-04-14")
    assert ran.code == 1
    assert "error: shape (openai:gpt-4.1-mini-2025-04-14), reported once for the file" in ran.out
    assert "preference rows are for --method dpo" in ran.out
    assert here("check", str(data), "--to", "openai:gpt-4.1-mini-2025-04-14", "--method", "dpo").code == 0


def test_a_method_that_the_target_has_not_is_refused(here: Cli, tmp_path: Path) -> None:
    ran = here("check", str(rows(tmp_path)), "--to", "mistral:open-mistral-nemo", "--method", "dpo")
    assert ran.code == 2
    assert "mistral has no dpo" in ran.err


@pytest.mark.parametrize(
    ("target", "suggestion"),
    [
        ("openai:gpt-4.1-mini-2025-04-15", "Did you mean 'gpt-4.1-mini-2025-04-14'?"),
        ("mock+openai:gpt-99", "`ftbridge catalogue openai` lists those that are."),
        ("openai:ft:gpt-4.1-mini-2025-04-14:us::1", ""),
        ("together:ft-1", ""),
        ("azure:gpt-4.1-2025-04-14", ""),
    ],
)
def test_a_model_that_nobody_knows_is_told(here: Cli, tmp_path: Path, target: str, suggestion: str) -> None:
    shown = here("check", str(rows(tmp_path)), "--to", target).out
    assert ("unknown_model" in shown) == bool(suggestion)
    assert suggestion in shown


def test_images_that_are_not_counted_are_told(here: Cli, tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    row = {"messages": [{"role": "user", "content": [image]}, {"role": "assistant", "content": "a cat"}]}
    data.write_text((json.dumps(row) + "\n") * 12)
    shown = here("check", str(data), "--to", "together:Qwen/Qwen3-8B", "--to", "openai:gpt-4o-2024-08-06").out
    together, openai = shown.splitlines()[-2:]
    assert "the images of 12 examples are not counted" in together
    assert "images" not in openai
    report = json.loads(here("check", str(data), "--to", "together:Qwen/Qwen3-8B", "--json").out)
    assert report["tokens"][0]["without_images"] == 12


def test_prepare_tells_of_keys_that_come_twice(here: Cli, tmp_path: Path) -> None:
    data = rows(tmp_path)
    first = data.read_text().splitlines()[0]
    data.write_text(first.replace("{", '{"messages": [], ', 1))
    ran = here("prepare", data, "--out", tmp_path / "out", "--validation-split", "0")
    assert ran.code == 0
    assert ran.out.splitlines()[0].endswith("train.jsonl: 1 example")
    assert "warning: repeated_key, once" in ran.out
    assert "line 1, $.messages: the key 'messages' is repeated" in ran.out


def test_prepare_overwrites_what_it_did_not_write_only_by_force(here: Cli, tmp_path: Path) -> None:
    data, mine = rows(tmp_path), tmp_path / "out" / "train.jsonl"
    mine.parent.mkdir()
    mine.write_text("mine")
    ran = here("prepare", data, "--out", mine.parent)
    assert (ran.code, mine.read_text()) == (2, "mine")
    assert "overwrite it with --force" in ran.err
    assert here("prepare", data, "--out", mine.parent, "--force").code == 0
    assert here("prepare", data, "--out", mine.parent).code == 0


@pytest.mark.parametrize("command", [["convert", "--to", "local:tiny"], ["prepare"]])
def test_standard_output_is_no_place_for_what_is_written_whole(here: Cli, tmp_path: Path, command: list[str]) -> None:
    ran = here(*command, rows(tmp_path), "--out", "-")
    assert ran.code == 2
    assert "--out cannot be standard output" in ran.err
    assert not Path("-").exists()


def test_a_vocabulary_without_a_target_is_refused(here: Cli, tmp_path: Path) -> None:
    ran = here("check", rows(tmp_path), "--tokenizer", "nosuch.json")
    assert ran.code == 2
    assert "--to" in ran.err


def test_a_file_in_no_known_format_is_one_paragraph(here: Cli, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("Prompt,Completion\n" + "a,b\n" * 200)
    ran = here("check", data)
    assert ran.code == 1
    assert len(ran.out.splitlines()) == 4
    assert "→ Did you mean 'prompt' and 'completion'?" in ran.out
    assert ran.out.splitlines()[-1].endswith("not ready: 0 examples (format unknown), 1 error, 0 warnings")


def test_advice_can_be_left_out(here: Cli, tmp_path: Path) -> None:
    row = {"messages": [{"role": "user", "content": "a@b.org"}, {"role": "assistant", "content": "+49 170 1234567"}]}
    data = tmp_path / "rows.jsonl"
    data.write_text((json.dumps(row) + "\n") * 2 + "{\n")
    codes = [
        [finding["code"] for finding in json.loads(here("check", data, "--json", *options).out)["findings"]]
        for options in ([], ["--no-advice"])
    ]
    assert codes == [["json", "email", "phone_number", "duplicates", "few_examples"], ["json"]]
    refused = here("check", data, "--no-advice", "--near-duplicates")
    assert (refused.code, refused.err.splitlines()[0]) == (2, "error: --validation and --near-duplicates are advice")


def test_a_pipe_is_read_once_and_all_advice_is_given(here: Cli, tmp_path: Path) -> None:
    row = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    reading, writing = os.pipe()
    os.write(writing, (json.dumps(row) + "\n").encode() * 60)
    os.close(writing)
    report = json.loads(here("check", f"/dev/fd/{reading}", "--json").out)
    os.close(reading)
    assert report["examples"] == 60
    assert {finding["code"] for finding in report["findings"]} == {"duplicates", "one_answer"}
