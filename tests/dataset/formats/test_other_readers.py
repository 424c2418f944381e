"""What ftbridge reads of Alpaca, ShareGPT and TRL rows is what LLaMA-Factory and TRL read of them.

`record_other_readers.py` recorded it from the two programs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from foreign_rows import read, translated, write

RECORDED = json.loads(Path(__file__).with_name("other_readers.json").read_text())
ROWS = RECORDED["rows"]
PREFERENCES = {name for name, row in ROWS.items() if "chosen" in row["row"]}


def as_llamafactory(message: dict[str, Any]) -> tuple[str, Any]:
    """A canonical message with LLaMA-Factory's word for its role; calls by their names and arguments."""
    if "tool_calls" in message:
        functions = [call["function"] for call in message["tool_calls"]]
        return "function", [{**one, "arguments": json.loads(one["arguments"])} for one in functions]
    return {"tool": "observation"}.get(message["role"], message["role"]), message["content"]


def from_llamafactory(message: dict[str, Any]) -> tuple[str, Any]:
    content = message["content"]
    return message["role"], json.loads(content) if message["role"] == "function" else content


def with_system(read_by_it: dict[str, Any], *messages: Any) -> list[Any]:
    system = [("system", read_by_it["_system"])] if read_by_it["_system"] else []
    return system + [from_llamafactory(one) for one in messages]


@pytest.mark.parametrize("name", sorted(ROWS.keys() - PREFERENCES - {"calls and results"}))
def test_a_chat_has_the_turns_that_llama_factory_reads(name: str) -> None:
    theirs = ROWS[name]["read"]
    ours = [as_llamafactory(one) for one in translated(ROWS[name]["row"])["messages"]]
    assert ours == with_system(theirs, *theirs["_prompt"], *theirs["_response"])


def test_calls_are_those_that_llama_factory_reads_and_each_has_its_result() -> None:
    """LLaMA-Factory leaves the results of parallel calls in one text; here each call has its own."""
    row, theirs = ROWS["calls and results"]["row"], ROWS["calls and results"]["read"]
    ours = translated(row)
    read_by_us = [as_llamafactory(one) for one in ours["messages"]]
    expected = with_system(theirs, *theirs["_prompt"], *theirs["_response"])
    assert read_by_us[:3] == expected[:3]
    assert [("observation", json.dumps(one)) for one in json.loads(expected[3][1])] == read_by_us[3:5]
    assert read_by_us[5:] == expected[4:]
    assert [tool["function"] for tool in ours["tools"]] == json.loads(theirs["_tools"])


@pytest.mark.parametrize("name", sorted(PREFERENCES))
def test_a_preference_has_the_prompt_and_the_two_answers_that_llama_factory_reads(name: str) -> None:
    theirs, ours = ROWS[name]["read"], translated(ROWS[name]["row"])
    assert [as_llamafactory(one) for one in ours["input"]["messages"]] == with_system(theirs, *theirs["_prompt"])
    answers = [as_llamafactory(*ours[key]) for key in ("preferred_output", "non_preferred_output")]
    assert answers == [from_llamafactory(one) for one in theirs["_response"]]


def test_pairs_are_made_again_of_what_trl_made_of_them(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", *RECORDED["unpaired"])
    assert read(path, "kto-pairs") == [
        {
            "input": {"messages": pair["prompt"]},
            "preferred_output": pair["chosen"],
            "non_preferred_output": pair["rejected"],
        }
        for pair in RECORDED["pairs"]
    ]


def test_the_prompt_that_two_conversations_share_is_the_one_that_trl_extracts() -> None:
    theirs, ours = RECORDED["implicit"]["read"], translated(RECORDED["implicit"]["row"])
    assert ours["input"]["messages"] == theirs["prompt"]
    assert ours["preferred_output"] == theirs["chosen"]
    assert ours["non_preferred_output"] == theirs["rejected"]
