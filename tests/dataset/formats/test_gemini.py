"""Gemini's contents: parts in order, thoughts, calls, preferences, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from foreign_rows import ANSWER, SYSTEM, USER, WORSE, call, problems, read, result, translated

ASKED = {"role": "user", "parts": [{"text": "Where is it?"}]}
ANSWERED = {"role": "model", "parts": [{"text": "There."}]}
CALLED = {"role": "model", "parts": [{"functionCall": {"name": "w", "args": {"a": 1}}}]}
RESPONSE = {"functionResponse": {"name": "w", "response": {"b": 2}}}
CALLING = {"role": "assistant", "tool_calls": [call(1, '{"a": 1}', "w")]}
PNG = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}


def messages(*contents: Any, **keys: Any) -> Any:
    return translated({"contents": list(contents), **keys})["messages"]


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def model(*parts: Any) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


def test_what_the_user_says_after_a_result_is_kept() -> None:
    assert messages(ASKED, CALLED, user(RESPONSE, {"text": "Say it in French."}), model({"text": "Là."})) == [
        USER,
        CALLING,
        result(1, '{"b": 2}', name="w"),
        {"role": "user", "content": "Say it in French."},
        {"role": "assistant", "content": "Là."},
    ]


def test_texts_of_an_answer_follow_each_other_as_in_googles_sdks() -> None:
    assert messages(ASKED, model({"text": "The"}, {"text": "re."})) == [USER, ANSWER]


def test_texts_of_the_user_and_of_the_instruction_stay_parts() -> None:
    made = messages(
        user({"text": "A"}, {"text": "B"}), ANSWERED, systemInstruction={"parts": [{"text": "C"}, {"text": "D"}]}
    )
    parts = [{"type": "text", "text": text} for text in "CDAB"]
    assert [one["content"] for one in made[:2]] == [parts[:2], parts[2:]]


def test_a_thought_is_reasoning_and_no_part_of_the_answer() -> None:
    thought = {"text": "Hm.", "thought": True, "thoughtSignature": "aGk="}
    assert messages(ASKED, model(thought, {"text": "There."})) == [USER, {**ANSWER, "reasoning_content": "Hm."}]
    assert messages(ASKED, model({"text": "There.", "thought": False})) == [USER, ANSWER]


def test_a_text_before_a_call_goes_with_it() -> None:
    [_, calling] = messages(ASKED, model({"text": "I look."}, CALLED["parts"][0]))
    assert calling == {**CALLING, "content": "I look."}


def test_a_call_with_an_id_is_answered_by_it() -> None:
    calls = model(*({"functionCall": {"id": name, "name": "w"}} for name in "xy"))
    results = user(*({"functionResponse": {"id": name, "name": "w", "response": {}}} for name in "yx"))
    made = messages(ASKED, calls, results, ANSWERED)
    assert [one["id"] for one in made[1]["tool_calls"]] == ["x", "y"]
    assert [one["tool_call_id"] for one in made[2:4]] == ["y", "x"]


@pytest.mark.parametrize(
    ("level", "detail"),
    [("LOW", {"detail": "low"}), ("MEDIUM", {}), ("HIGH", {"detail": "high"}), ("ULTRA_HIGH", {"detail": "high"})],
)
def test_the_resolution_of_an_image_is_its_detail(level: str, detail: Any) -> None:
    part = {**PNG, "mediaResolution": {"level": f"MEDIA_RESOLUTION_{level}"}}
    [asked, _] = messages(user(part), ANSWERED)
    assert asked["content"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", **detail}}]


def test_functions_have_a_json_schema(tmp_path: Path) -> None:
    declared = {
        "name": "w",
        "description": "Weather",
        "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
    }
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    row = {"contents": [ASKED, ANSWERED], "tools": [{"functionDeclarations": [declared]}]}
    assert problems(tmp_path, row) == []
    assert read(tmp_path / "rows.jsonl")[0]["tools"] == [
        {"type": "function", "function": {"name": "w", "description": "Weather", "parameters": schema}}
    ]
    given = {**row, "tools": [{"functionDeclarations": [{"name": "w", "parametersJsonSchema": schema}]}]}
    assert translated(given)["tools"][0]["function"]["parameters"] == schema


def test_two_completions_with_scores_are_a_preference(tmp_path: Path) -> None:
    row: dict[str, Any] = {
        "contents": [ASKED],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "completions": [
            {"score": 0, "completion": {"role": "model", "parts": [{"text": "No."}]}},
            {"score": 1.0, "completion": {"role": "model", "parts": [{"text": "There."}]}},
        ],
    }
    assert problems(tmp_path, row) == []
    assert read(tmp_path / "rows.jsonl") == [
        {"input": {"messages": [SYSTEM, USER]}, "preferred_output": [ANSWER], "non_preferred_output": [WORSE]}
    ]
    same = {**row, "completions": [row["completions"][0]] * 2}
    assert problems(tmp_path, same)[0][:2] == ("error", "$.completions")


def test_contents_with_references_are_a_task(tmp_path: Path) -> None:
    row = {"contents": [ASKED], "references": {"answer": "There."}}
    assert problems(tmp_path, row) == []
    assert read(tmp_path / "rows.jsonl") == [{"messages": [USER], "reference": {"answer": "There."}}]


@pytest.mark.parametrize(
    ("contents", "keys", "path"),
    [
        ([user({"text": "x"}, RESPONSE)], {}, "$.contents[2].parts[1]"),
        ([model(CALLED["parts"][0], {"text": "x"})], {}, "$.contents[2].parts[1]"),
        ([user({"text": "x", "thought": True})], {}, "$.contents[2].parts[0]"),
        ([model(PNG)], {}, "$.contents[2].parts[0].inlineData"),
        ([model(RESPONSE)], {}, "$.contents[2].parts[0].functionResponse"),
        ([user(CALLED["parts"][0])], {}, "$.contents[2].parts[0].functionCall"),
        ([model({"executableCode": {"code": "1"}})], {}, "$.contents[2].parts[0].executableCode"),
        (
            [user({"fileData": {"fileUri": "gs://a/b.mp4", "mimeType": "video/mp4"}})],
            {},
            "$.contents[2].parts[0].fileData",
        ),
        ([{"role": "assistant", "parts": [{"text": "x"}]}], {}, "$.contents[2].role"),
        ([], {"tools": [{"googleSearch": {}}]}, "$.tools[0].googleSearch"),
        ([], {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, "$.toolConfig"),
        ([], {"cachedContent": "cachedContents/1"}, "$.cachedContent"),
    ],
)
def test_what_a_chat_cannot_say_is_refused(tmp_path: Path, contents: Any, keys: Any, path: str) -> None:
    found = problems(tmp_path, {"contents": [ASKED, CALLED, *contents], **keys})
    assert ("error", path) in [finding[:2] for finding in found]


def test_rows_as_googles_sdk_dumps_them_are_read(tmp_path: Path) -> None:
    """Its models have the names of Python, and what is absent is null."""
    row = {
        "system_instruction": {"parts": [{"text": "Be brief.", "function_call": None}], "role": None},
        "contents": [
            user(
                {"text": "Where is it?"},
                {"inline_data": {"mime_type": "image/png", "data": "aGk=", "display_name": "a"}},
                {"file_data": {"mime_type": "image/png", "file_uri": "https://a/1.png"}},
            ),
            model({"function_call": {"name": "w", "args": {"some_key": 1}}, "thought_signature": "aGk="}),
            user({"function_response": {"name": "w", "response": {"other_key": 2}, "will_continue": False}}),
            ANSWERED,
        ],
        "tools": [{"function_declarations": [{"name": "w", "parameters_json_schema": {"type": "object"}}]}],
        "tool_config": {"function_calling_config": {"mode": "AUTO"}},
        "generation_config": {"top_k": 1},
    }
    assert problems(tmp_path, row) == []
    [made] = read(tmp_path / "rows.jsonl")
    assert [one["role"] for one in made["messages"]] == ["system", "user", "assistant", "tool", "assistant"]
    assert [part["image_url"]["url"] for part in made["messages"][1]["content"][1:]] == [
        "data:image/png;base64,aGk=",
        "https://a/1.png",
    ]
    assert made["messages"][2] == {"role": "assistant", "tool_calls": [call(1, '{"some_key": 1}', "w")]}
    assert made["messages"][3] == result(1, '{"other_key": 2}', name="w")
    assert made["tools"][0]["function"]["parameters"] == {"type": "object"}


def test_an_instruction_with_more_than_texts_is_refused(tmp_path: Path) -> None:
    row = {"systemInstruction": {"parts": [{"text": "Be brief.", **PNG}]}, "contents": [ASKED, ANSWERED]}
    assert problems(tmp_path, row) == [
        (
            "error",
            "$.systemInstruction.parts[0].inlineData",
            "a systemInstruction has texts alone, and 'inlineData' is not read here",
        )
    ]
