"""ShareGPT turns: calls and their results, weights, images and tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from foreign_rows import ANSWER, SYSTEM, TOOL, USER, call, problems, read, result, translated, write

HUMAN = {"from": "human", "value": "Where is it?"}
GPT = {"from": "gpt", "value": "There."}


def turns(*between: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"conversations": [HUMAN, *between, GPT], **keys}


def calling(*calls: Any, **keys: Any) -> dict[str, Any]:
    return {"role": "assistant", **keys, "tool_calls": list(calls)}


@pytest.mark.parametrize("caller", ["function_call", "function-call", "tool_call"])
@pytest.mark.parametrize("answerer", ["observation", "tool", "function_response", "function-response"])
def test_a_call_and_its_result_are_turns_of_their_own(tmp_path: Path, caller: str, answerer: str) -> None:
    row = turns(
        {"from": caller, "value": '{"name": "f", "arguments": {"a": 1}}'},
        {"from": answerer, "value": '{"b": 2}'},
        tools='[{"name": "f"}]',
    )
    assert problems(tmp_path, row) == []
    assert read(tmp_path / "rows.jsonl") == [
        {"messages": [USER, calling(call(1, '{"a": 1}')), result(1, '{"b": 2}'), ANSWER], "tools": [TOOL]}
    ]


def test_calls_in_the_tags_of_hermes_are_read_with_the_text_before_them() -> None:
    answer = (
        'I look.\n<tool_call>\n{"arguments": {"a": 1}, "name": "f"}\n</tool_call>\n<tool_call>{"name": "f"}</tool_call>'
    )
    row = turns(
        {"from": "gpt", "value": answer},
        {"from": "tool", "value": "<tool_response>\n1\n</tool_response>\n<tool_response>\n2\n</tool_response>"},
    )
    assert translated(row)["messages"] == [
        USER,
        calling(call(1, '{"a": 1}'), call(2), content="I look."),
        result(1, "1"),
        result(2, "2"),
        ANSWER,
    ]


def test_a_call_that_hermes_wrote_in_python_is_read() -> None:
    row = turns(
        {"from": "gpt", "value": "<tool_call>\n{'arguments': {'a': True}, 'name': 'f'}\n</tool_call>"},
        {"from": "tool", "value": "1"},
    )
    assert translated(row)["messages"][1] == calling(call(1, '{"a": true}'))


def test_tags_in_a_chat_without_tools_are_text() -> None:
    row = {"conversations": [HUMAN, {"from": "gpt", "value": "Write <tool_call>{}</tool_call>."}]}
    assert translated(row)["messages"][1]["content"] == "Write <tool_call>{}</tool_call>."


@pytest.mark.parametrize(
    "value",
    ["look()", '{"arguments": {}}', '{"name": "f", "arguments": 7}', "[]7", '<tool_call>{"name": "f"}</tool_call> now'],
)
def test_calls_that_cannot_be_read_are_refused(tmp_path: Path, value: str) -> None:
    row = turns({"from": "function_call", "value": value})
    assert ("error", "$.conversations[1].value", "the calls of this turn cannot be read") in problems(tmp_path, row)


def test_a_result_without_a_call_is_refused(tmp_path: Path) -> None:
    row = turns({"from": "observation", "value": "1"})
    assert problems(tmp_path, row) == [("error", "$.conversations[1].value", "there is 1 result, and no call before")]


def test_tools_that_the_system_prompt_lists_too_are_told(tmp_path: Path) -> None:
    row = {
        "conversations": [{"from": "system", "value": "<tools>[…]</tools>"}, HUMAN, GPT],
        "tools": '[{"type": "function", "function": {"name": "f"}}]',
    }
    [(level, path, message)] = problems(tmp_path, row, row)
    assert (level, path) == ("warning", "$")
    assert "lists the tools in words" in message


@pytest.mark.parametrize("tools", ["", "[]", [], None])
def test_no_tools_are_none(tools: Any) -> None:
    assert translated(turns(tools=tools)) == {"messages": [USER, ANSWER]}


def test_tools_that_are_no_json_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, turns(tools="f(x)")) == [("error", "$.tools", "the tools are a string that is not JSON")]


@pytest.mark.parametrize(
    ("key", "value", "weight"),
    [("weight", 0, 0), ("train", False, 0), ("training", True, 1), ("loss", False, 0)],
)
def test_a_turn_says_whether_it_is_trained(key: str, value: Any, weight: int) -> None:
    row = {"conversations": [HUMAN, {**GPT, key: value}, HUMAN, GPT]}
    assert translated(row)["messages"][1] == {**ANSWER, "weight": weight}


def test_a_turn_that_is_trained_in_part_is_refused(tmp_path: Path) -> None:
    row = {"conversations": [HUMAN, {**GPT, "train_detail": [{"begin_offset": 0, "end_offset": 2, "train": False}]}]}
    [(level, path, message)] = problems(tmp_path, row)
    assert (level, path) == ("error", "$.conversations[1]")
    assert "'train_detail' trains a part of the turn" in message


def test_turns_with_role_and_content_are_messages(tmp_path: Path) -> None:
    row = {"conversations": [{"role": "system", "content": "Be brief."}, USER, ANSWER]}
    assert problems(tmp_path, row) == []
    assert read(tmp_path / "rows.jsonl") == [{"messages": [SYSTEM, USER, ANSWER]}]


@pytest.mark.parametrize(("question", "answer"), [("human", "assistant"), ("input", "output")])
def test_turns_of_a_question_and_its_answer_are_two_messages(tmp_path: Path, question: str, answer: str) -> None:
    """As ms-swift and Capybara have them."""
    exchanges = [{question: "a", answer: "b"}, {question: "Where is it?", answer: "There."}]
    assert problems(tmp_path, {"conversation": exchanges, "system": "Be brief."}) == []
    assert read(tmp_path / "rows.jsonl") == [
        {
            "messages": [
                SYSTEM,
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b"},
                USER,
                ANSWER,
            ]
        }
    ]


def test_texts_alone_are_the_user_and_the_assistant_by_turns_as_in_lima(tmp_path: Path) -> None:
    assert problems(tmp_path, {"conversations": ["Where is it?", "There."]}) == []
    assert read(tmp_path / "rows.jsonl") == [{"messages": [USER, ANSWER]}]
    [(level, path, message)] = problems(tmp_path, {"conversations": ["a", "b", "c"]})
    assert (level, path) == ("error", "$.messages[2]")
    assert "the last message is from 'user'" in message


def test_a_question_without_its_answer_is_refused_where_it_stands(tmp_path: Path) -> None:
    row = {"conversation": [{"input": "a", "output": "b"}, {"input": "c"}]}
    assert problems(tmp_path, row) == [("error", "$.conversation[1]", "the key 'output' is missing")]


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


@pytest.mark.parametrize("write_images", [list, json.dumps])
def test_images_are_put_where_the_texts_have_a_placeholder(tmp_path: Path, write_images: Any) -> None:
    row = {
        "conversations": [{"from": "human", "value": "<image>\nWhat is it, and <image>?"}, GPT],
        "images": write_images(["https://a/1.png", "https://a/2.png"]),
    }
    path = write(tmp_path / "rows.jsonl", row)
    [made] = read(path)
    assert made["messages"][0]["content"] == [
        image("https://a/1.png"),
        {"type": "text", "text": "\nWhat is it, and "},
        image("https://a/2.png"),
        {"type": "text", "text": "?"},
    ]


@pytest.mark.parametrize(("value", "found"), [("What?", "0 placeholders"), ("<image><image>", "2 placeholders")])
def test_another_number_of_images_than_of_placeholders_is_refused(tmp_path: Path, value: str, found: str) -> None:
    row = {"conversations": [{"from": "human", "value": value}, GPT], "images": ["https://a/1.png"]}
    assert problems(tmp_path, row) == [("error", "$.images", f"there is 1 image for {found}")]


def test_a_placeholder_is_text_where_the_row_has_no_images() -> None:
    row = {"conversations": [{"from": "human", "value": "What is <image> in HTML?"}, GPT]}
    assert translated(row)["messages"][0]["content"] == "What is <image> in HTML?"


def test_an_image_of_llava_is_one_under_its_own_key() -> None:
    row = {"id": "1", "image": "https://a/1.png", "conversations": [{"from": "human", "value": "<image>"}, GPT]}
    del row["id"]
    assert translated(row)["messages"][0]["content"] == [image("https://a/1.png")]


def test_an_image_that_is_a_path_is_refused_with_what_to_give(tmp_path: Path) -> None:
    row = {"conversations": [{"from": "human", "value": "<image>"}, GPT], "images": ["cat.png"]}
    [(level, path, message)] = problems(tmp_path, row)
    assert (level, path) == ("error", "$.messages[0].content[0].image_url.url")
    assert "'cat.png' is neither a web address nor a data URL" in message


def test_an_image_of_hugging_face_datasets_is_its_bytes() -> None:
    row = {
        "conversations": [{"from": "human", "value": "<image>"}, GPT],
        "images": [{"bytes": b"\x89PNG", "path": "1.png"}],
    }
    assert translated(row)["messages"][0]["content"] == [image("data:image/png;base64,iVBORw==")]


def test_turns_with_role_and_content_may_be_calls_and_results(tmp_path: Path) -> None:
    row = {
        "conversations": [
            USER,
            {"role": "function_call", "content": '{"name": "f", "arguments": {"a": 1}}'},
            {"role": "observation", "content": "1"},
            ANSWER,
        ],
        "tools": '[{"name": "f"}]',
    }
    assert problems(tmp_path, row) == []
    [made] = read(tmp_path / "rows.jsonl")
    assert made["messages"] == [USER, calling(call(1, '{"a": 1}')), result(1, "1"), ANSWER]


def test_a_weight_may_be_a_number_with_a_point_as_slimorca_has_it() -> None:
    made = translated({"conversations": [{**HUMAN, "weight": 0.0}, {**GPT, "weight": 1.0}]})
    assert made["messages"] == [{**USER, "weight": 0}, {**ANSWER, "weight": 1}]
    assert {type(one["weight"]) for one in made["messages"]} == {int}
