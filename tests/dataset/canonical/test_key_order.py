"""Tools and calls keep the order of their keys as it was written, in what is read and in rows rebuilt for vendors."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbridge.dataset import read_examples
from ftbridge.provider.completions import read_chat

FUNCTION: dict[str, Any] = {
    "name": "look",
    "description": "Looks.",
    "parameters": {"type": "object", "properties": {"z": {"type": "string"}, "a": {"type": "string"}}},
    "strict": True,
}
CALL: dict[str, Any] = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"z":  1}'}}


def row(tool: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    answer = {"role": "assistant", "content": "Blue."}
    seen = {"role": "tool", "content": "blue", "tool_call_id": "c1"}
    asked = {"role": "user", "content": "Look up."}
    return {"messages": [asked, {"role": "assistant", "tool_calls": [call]}, seen, answer], "tools": [tool]}


def ordered(value: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value[key] for key in keys}


@pytest.mark.parametrize("keys", [*permutations(FUNCTION)], ids="-".join)
def test_a_function_keeps_the_order_of_its_keys(keys: tuple[str, ...], tmp_path: Path) -> None:
    written = row({"type": "function", "function": ordered(FUNCTION, keys)}, CALL)
    (tmp_path / "data.jsonl").write_text(json.dumps(written))
    [(_line, example)] = read_examples(tmp_path / "data.jsonl")
    assert json.dumps(msgspec.to_builtins(example)["tools"]) == json.dumps(written["tools"])
    assert json.dumps(msgspec.to_builtins(read_chat(written))["tools"]) == json.dumps(written["tools"])


@pytest.mark.parametrize("keys", [*permutations(CALL)], ids="-".join)
def test_a_call_keeps_the_order_of_its_keys_and_the_spaces_of_its_arguments(
    keys: tuple[str, ...], tmp_path: Path
) -> None:
    call = ordered({**CALL, "function": {"arguments": '{"z":  1}', "name": "look"}}, keys)
    written = row({"function": FUNCTION, "type": "function"}, call)
    (tmp_path / "data.jsonl").write_text(json.dumps(written))
    [(_line, example)] = read_examples(tmp_path / "data.jsonl")
    assert msgspec.json.encode(example).decode() == json.dumps(written, separators=(",", ":"))


def test_a_preference_keeps_the_order_of_its_keys(tmp_path: Path) -> None:
    call = {"function": {"arguments": "{}", "name": "look"}, "type": "function", "id": "c1"}
    written = {
        "input": {
            "messages": [{"role": "user", "content": "Look up."}],
            "tools": [{"function": ordered(FUNCTION, ("parameters", "name")), "type": "function"}],
        },
        "preferred_output": [{"role": "assistant", "tool_calls": [call]}],
        "non_preferred_output": [{"role": "assistant", "content": "No."}],
    }
    (tmp_path / "data.jsonl").write_text(json.dumps(written))
    [(_line, example)] = read_examples(tmp_path / "data.jsonl")
    assert msgspec.json.encode(example).decode() == json.dumps(written, separators=(",", ":"))
