"""Two answers, of which one is better, in the shapes of TRL, hh-rlhf, Axolotl, LLaMA-Factory and ms-swift."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from foreign_rows import ANSWER, SYSTEM, TOOL, USER, WORSE, call, problems, read, result, translated

PAIR = {"input": {"messages": [USER]}, "preferred_output": [ANSWER], "non_preferred_output": [WORSE]}
HUMAN = {"from": "human", "value": "Where is it?"}
STRINGS = {"chosen": "There.", "rejected": "No."}


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": [USER], "chosen": [ANSWER], "rejected": [WORSE]},
        {"prompt": "Where is it?", "chosen": [USER, ANSWER], "rejected": [USER, WORSE]},
        {"question": "Where is it?", **STRINGS},
        {"messages": [USER], "chosen": ANSWER, "rejected": WORSE},
        {"messages": [USER], "chosen": [ANSWER], "rejected": [WORSE]},
        {"messages": [USER], **STRINGS},
        {"conversations": [USER], "chosen": ANSWER, "rejected": WORSE},
        {
            "conversations": [HUMAN],
            "chosen": {"from": "gpt", "value": "There."},
            "rejected": {"from": "gpt", "value": "No."},
        },
        {"conversations": [HUMAN], **STRINGS},
        {"instruction": "Where is it?", "input": "", **STRINGS},
        {"messages": [USER, ANSWER], "rejected_response": "No."},
        {"query": "Where is it?", "response": "There.", "rejected_response": "No."},
        {
            "chosen": "\n\nHuman: Where is it?\n\nAssistant: There.",
            "rejected": "\n\nHuman: Where is it?\n\nAssistant: No.",
        },
        {"prompt": "\n\nHuman: Where is it?\n\nAssistant:", **STRINGS},
    ],
)
def test_what_two_answers_follow_is_found(tmp_path: Path, row: Any) -> None:
    assert problems(tmp_path, row) == []
    assert read(tmp_path / "rows.jsonl") == [PAIR]


@pytest.mark.parametrize("row", [{"prompt": "Where is it?", **STRINGS}, {"instruction": "Where is it?", **STRINGS}])
def test_the_system_prompt_and_the_tools_belong_to_the_input(row: dict[str, Any]) -> None:
    made = translated({**row, "system": "Be brief.", "tools": [TOOL]})
    assert made["input"] == {"messages": [SYSTEM, USER], "tools": [TOOL]}


def test_conversations_in_one_text_that_part_early_have_answers_of_several_turns() -> None:
    row = {
        "chosen": "\n\nHuman: A\n\nAssistant: B\n\nHuman: C\n\nAssistant: D",
        "rejected": "\n\nHuman: A\n\nAssistant: b\n\nHuman: c\n\nAssistant: d",
    }
    made = translated(row)
    assert made["input"]["messages"] == [{"role": "user", "content": "A"}]
    assert [one["content"] for one in made["preferred_output"]] == ["B", "C", "D"]
    assert [one["content"] for one in made["non_preferred_output"]] == ["b", "c", "d"]


def test_the_text_of_a_dialogue_is_kept_as_it_is() -> None:
    row = {"chosen": "\n\nHuman: A\n\n B\n\nAssistant: C: \n", "rejected": "\n\nHuman: A\n\n B\n\nAssistant: D"}
    made = translated(row)
    assert made["input"]["messages"] == [{"role": "user", "content": "A\n\n B"}]
    assert made["preferred_output"] == [{"role": "assistant", "content": "C: \n"}]


def test_answers_that_call_tools_have_ids() -> None:
    calling = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}
    answer = [calling, {"role": "tool", "name": "f", "content": "1"}, ANSWER]
    made = translated({"prompt": [USER], "chosen": answer, "rejected": [WORSE]})
    assert made["preferred_output"] == [
        {"role": "assistant", "tool_calls": [call(1)]},
        result(1, "1", name="f"),
        ANSWER,
    ]


def test_two_answers_without_a_prompt_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, STRINGS) == [("error", "$", "the row has two answers and no prompt")]


def test_answers_that_are_the_same_are_told(tmp_path: Path) -> None:
    row = {"chosen": [USER, ANSWER], "rejected": [USER, ANSWER]}
    [(level, path, _)] = problems(tmp_path, row)
    assert (level, path) == ("warning", "$.non_preferred_output")


def test_a_preference_among_chats_is_refused(tmp_path: Path) -> None:
    rows = {"messages": [USER, ANSWER]}, {"messages": [USER], "chosen": ANSWER, "rejected": WORSE}
    assert {finding[:2] for finding in problems(tmp_path, *rows)} == {("error", "$.chosen"), ("error", "$.rejected")}


@pytest.mark.parametrize("empty", ["chosen", "rejected"])
def test_an_answer_of_a_dialogue_that_is_empty_is_told_as_that(tmp_path: Path, empty: str) -> None:
    """hh-rlhf has such rows."""
    row = dict.fromkeys(STRINGS, "\n\nHuman: Where is it?\n\nAssistant: There.")
    row[empty] = "\n\nHuman: Where is it?\n\nAssistant:"
    output = {"chosen": "preferred_output", "rejected": "non_preferred_output"}[empty]
    [(level, path, message)] = problems(tmp_path, row)
    assert (level, path) == ("error", f"$.{output}[0].content")
    assert message.startswith("the assistant message is empty")
