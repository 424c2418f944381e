"""What a template leaves out is found missing where it belongs, whatever else is in the chat."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset.canonical.example import Chat
from ftbridge_local.tokenizing import encoding
from ftbridge_local.tokenizing.messages import UntrainableError
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from local.families import CHATML, chat
from local.families_of_tools import MORE
from local.test_masks import trained_text

Make = Callable[..., Tokenizer]

ASKED = {"role": "user", "content": "Please search for red shoes."}
TOOL = {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"q": "red shoes"}'}}
CALLING = {"role": "assistant", "content": "", "tool_calls": [CALL]}
RESULT = {"role": "tool", "content": "red shoes", "tool_call_id": "c1"}
ANSWER = {"role": "assistant", "content": "Here are red shoes."}

FINAL = "<|start|>assistant<|channel|>final<|message|>"
LISTS_TOOLS = "{{ tools | tojson }}" + CHATML
NAMES_ONLY = CHATML.replace("m.content", "(m.content or '') + (m.tool_calls[0].function.name if m.tool_calls else '')")
NO_RESULTS = NAMES_ONLY.replace("function.name", "function | tojson").replace(
    "for m in messages", "for m in messages if m.role != 'tool'"
)
PRINTED = NAMES_ONLY.replace("function.name", "function.name ~ m.tool_calls[0].function.arguments")


@pytest.mark.parametrize(
    ("template", "example", "path"),
    [
        (CHATML, chat(ASKED, CALLING), "$.messages[1].tool_calls[0].function.name"),
        (LISTS_TOOLS, chat(ASKED, CALLING, tools=[TOOL]), "$.messages[1].tool_calls[0].function.name"),
        (NAMES_ONLY, chat(ASKED, CALLING), "$.messages[1].tool_calls[0].function.arguments"),
        (NO_RESULTS, chat(ASKED, CALLING, RESULT, ANSWER), "$.messages[2]"),
        (NO_RESULTS, chat(ASKED, CALLING, tools=[TOOL]), "$.tools[0]"),
        (CHATML, chat(ASKED, {**ANSWER, "reasoning_content": "red shoes"}), "$.messages[1].reasoning_content"),
    ],
    ids=["a call", "a call of a listed tool", "arguments", "a result", "tools", "reasoning"],
)
def test_words_elsewhere_in_the_chat_are_no_evidence(
    template: str, example: Chat, path: str, tokenizer_with: Make
) -> None:
    with pytest.raises(UntrainableError) as problem:
        encoding.encode(example, tokenizer_with(template))
    assert (problem.value.code, problem.value.path) == ("template_leaves_out", path)
    assert problem.value.fix


def test_a_template_that_prints_arguments_gets_them_as_they_were_written(tokenizer_with: Make) -> None:
    tokenizer = tokenizer_with(PRINTED)
    call = {**CALL, "function": {"name": "search", "arguments": '{"q":  "red",\t"n": true}'}}
    row = encoding.encode(chat(ASKED, {**CALLING, "tool_calls": [call]}), tokenizer)
    assert trained_text(row, tokenizer) == 'search{"q":  "red",\t"n": true}<|im_end|>'


def test_a_result_that_is_escaped_is_there(tokenizer_with: Make) -> None:
    tokenizer = MORE["llama3.1"].tokenizer(tokenizer_with)
    result = {**RESULT, "content": '{"found": "5\\" “red”\\n"}'}
    assert encoding.encode(chat(ASKED, CALLING, result, ANSWER, tools=[TOOL]), tokenizer).trainable


@pytest.mark.parametrize("folder", [False, True], ids=["a list in the config", "a file of its own"])
def test_tools_have_the_template_of_that_name(folder: bool, tokenizer_with: Make, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    base = tokenizer_with(CHATML)._folder
    if folder:
        (base / "additional_chat_templates").mkdir()
        (base / "additional_chat_templates" / "tool_use.jinja").write_text(LISTS_TOOLS)
        (base / "chat_template.jinja").write_text(CHATML)
    else:
        config = json.loads((base / "tokenizer_config.json").read_bytes())
        named = {"default": CHATML, "tool_use": LISTS_TOOLS}
        config["chat_template"] = [{"name": name, "template": text} for name, text in named.items()]
        (base / "tokenizer_config.json").write_text(json.dumps(config))
    theirs: Any = AutoTokenizer.from_pretrained(base)
    for more in ({}, {"tools": [TOOL]}):
        expected = theirs.apply_chat_template([ASKED, ANSWER], **more)["input_ids"]
        assert encoding.encode(chat(ASKED, ANSWER, **more), Tokenizer(base)).ids == expected


def test_special_tokens_are_those_of_special_tokens_map(tokenizer_with: Make) -> None:
    from transformers import AutoTokenizer

    base = tokenizer_with(CHATML)._folder
    (base / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ eos_token }}" + CHATML}))
    (base / "special_tokens_map.json").write_text(json.dumps({"eos_token": {"content": "<|im_end|>", "lstrip": False}}))
    theirs: Any = AutoTokenizer.from_pretrained(base)
    tokenizer = Tokenizer(base)
    assert tokenizer.text_of(tokenizer.eos_id) == "<|im_end|>"
    expected = theirs.apply_chat_template([ASKED, ANSWER])["input_ids"]
    assert encoding.encode(chat(ASKED, ANSWER), tokenizer).ids == expected


@pytest.mark.parametrize(
    ("family", "reasoning"),
    [
        ("qwen3-thinking", "<think>\nThey want\nshoes.\n</think>\n\n"),
        ("glm4.5", "\n<think>They want\nshoes.</think>\n"),
        ("deepseek-r1", "They want\nshoes.\n</think>\n\n"),
        (
            "gpt-oss",
            "<|channel|>analysis<|message|>They want\nshoes.<|end|><|start|>assistant<|channel|>final<|message|>",
        ),
    ],
)
@pytest.mark.parametrize("inline", [False, True], ids=["as a field", "in the content"])
def test_reasoning_is_trained_or_only_read(family: str, reasoning: str, inline: bool, tokenizer_with: Make) -> None:
    found = MORE[family]
    tokenizer = found.tokenizer(tokenizer_with)
    answer = {**ANSWER, "reasoning_content": "They want\nshoes."}
    if inline:
        if family == "gpt-oss":
            pytest.skip("its marks are no part of a text")
        answer = {**ANSWER, "content": f"<think>They want\nshoes.</think>{ANSWER['content']}"}
    row = encoding.encode(chat(ASKED, answer), tokenizer)
    assert trained_text(row, tokenizer) == reasoning + ANSWER["content"] + found.end
    only_read = encoding.encode(chat(ASKED, answer), Tokenizer(tokenizer._folder, train_reasoning=False))
    assert only_read.ids == row.ids
    assert trained_text(only_read, tokenizer) == ANSWER["content"] + found.end


def test_reasoning_of_earlier_answers_that_is_left_out_is_told(tokenizer_with: Make) -> None:
    tokenizer = MORE["qwen3-thinking"].tokenizer(tokenizer_with)
    thought = {**ANSWER, "reasoning_content": "They want shoes."}
    row = encoding.encode(chat(ASKED, thought, ASKED, thought), tokenizer)
    assert row.notes == ("only_last_answer_trained", "reasoning_of_earlier_answers_left_out")
    assert trained_text(row, tokenizer).count("They want shoes.") == 1
