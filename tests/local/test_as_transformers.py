"""Rows are the token ids that transformers' own apply_chat_template gives, for every family and shape of chat.

A family that leaves out a part of a chat, or refuses it, is refused here: the table says which parts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ftbridge.dataset.canonical.example import Chat
from ftbridge_local.tokenizing import encoding
from ftbridge_local.tokenizing.messages import UntrainableError
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from local.families_of_tools import ALL

Make = Callable[..., Tokenizer]

SCHEMA = {
    "type": "object",
    "properties": {"q": {"type": "string"}, "n": {"type": "integer"}},
    "required": ["q"],
}
TOOL = {"type": "function", "function": {"name": "search", "description": "Finds “shoes”.", "parameters": SCHEMA}}
ASKED = {"role": "user", "content": "Please search for red shoes."}
FOUND = {"role": "assistant", "content": "Here are red shoes & “boots”."}
SYSTEM = {"role": "system", "content": "Be brief."}


def call(arguments: str, number: int = 0) -> dict[str, Any]:
    return {"id": f"call0000{number}", "type": "function", "function": {"name": "search", "arguments": arguments}}


def calls(*given: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": [call(text, number) for number, text in enumerate(given)], **more}


def result(content: str, number: int = 0) -> dict[str, Any]:
    return {"role": "tool", "content": content, "tool_call_id": f"call0000{number}"}


RED = '{"q": "red shoes", "n": 3}'
SHAPES: dict[str, dict[str, Any]] = {
    "one turn": {"messages": [ASKED, FOUND]},
    "system": {"messages": [SYSTEM, ASKED, FOUND]},
    "two turns": {"messages": [ASKED, FOUND, {"role": "user", "content": "More."}, {**FOUND, "content": "No."}]},
    "tools": {"messages": [ASKED, FOUND], "tools": [TOOL]},
    "a call": {"messages": [ASKED, calls(RED)], "tools": [TOOL]},
    "a call of no declared tool": {"messages": [ASKED, calls(RED)]},
    "a call with null content": {"messages": [ASKED, calls(RED, content=None)]},
    "a call with empty content": {"messages": [ASKED, calls(RED, content="")]},
    "a call with content": {"messages": [ASKED, calls(RED, content="Looking.")]},
    "a call without arguments": {"messages": [ASKED, calls("{}")]},
    "parallel calls": {"messages": [ASKED, calls(RED, '{"q": "Grüße"}')]},
    "a tool's result": {"messages": [ASKED, calls(RED), result('{"found": ["a \\"b\\"", "ü"]}'), FOUND]},
    "two results": {"messages": [ASKED, calls(RED, "{}"), result("one"), result("two", 1), FOUND]},
    "reasoning": {"messages": [ASKED, {**FOUND, "reasoning_content": "They want shoes."}]},
}
NO_TOOLS = {"tools", "a call"}
NO_CALLS = {shape for shape in SHAPES if "call" in shape or "result" in shape}
TWO_CALLS = {"parallel calls", "two results"}
WITH_CONTENT = {"a call with content"}
PLAIN = ("chatml", "smollm2", "gemma", "phi", "llama2", "phi3", "alpaca")
REFUSED: dict[str, set[str]] = {
    **{family: {"tools", *NO_CALLS, "reasoning"} for family in PLAIN},
    "llama3": {*TWO_CALLS, *WITH_CONTENT, "reasoning"},
    "llama3.1": {*TWO_CALLS, *WITH_CONTENT, "reasoning"},
    "qwen2.5": {"reasoning"},
    "qwen3": {"reasoning"},
    "mistral-v3": {*TWO_CALLS, *WITH_CONTENT, "reasoning"},
    "mistral-tekken": {*TWO_CALLS, *WITH_CONTENT, "reasoning"},
    "deepseek": {*NO_TOOLS, *TWO_CALLS, *WITH_CONTENT, "reasoning"},
    "deepseek-v3": {*NO_TOOLS, *WITH_CONTENT, "reasoning"},
    "deepseek-r1": {*NO_TOOLS, *WITH_CONTENT},
    "gemma4": {"reasoning"},
    "gpt-oss": {*TWO_CALLS, *WITH_CONTENT},
    "exaone4": {"reasoning"},
}
"""The shapes of which a family's template leaves a part out, or which it refuses."""
TEXT_ARGUMENTS, NULL_CONTENT = {"deepseek-v3", "deepseek-r1"}, {"deepseek-v3", "deepseek-r1"}
ADDED = {"alpaca", "glm4.5"}
"""Families whose templates write nothing after an answer: the end token is added."""
PREFILLED = {"deepseek-r1": "<think>\n{}\n</think>\n\n", "gemma4": "<|channel>thought\n<channel|>"}
"""What the prompt for an answer has, and the rendering of the answer has not."""


@pytest.fixture(params=ALL)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tokenizer(family: str, tokenizer_with: Make) -> Tokenizer:
    return ALL[family].tokenizer(tokenizer_with)


def by_transformers(tokenizer: Tokenizer, family: str, shape: dict[str, Any]) -> list[int]:
    from transformers import AutoTokenizer

    theirs: Any = AutoTokenizer.from_pretrained(tokenizer._folder)
    messages = json.loads(json.dumps(shape["messages"]))
    for message in messages:
        if family not in TEXT_ARGUMENTS:
            for one in message.get("tool_calls") or ():
                one["function"]["arguments"] = json.loads(one["function"]["arguments"])
        elif message["role"] == "assistant" and not message.get("content"):
            message["content"] = None
    if family in NULL_CONTENT:  # which transformers itself takes out of the messages
        from transformers.utils.chat_template_utils import render_jinja_template

        rendered: Any = render_jinja_template(
            [messages], tools=shape.get("tools"), chat_template=theirs.chat_template, **theirs.special_tokens_map
        )
        return list(theirs(rendered[0][0], add_special_tokens=False)["input_ids"])
    return list(theirs.apply_chat_template(messages, tools=shape.get("tools"))["input_ids"])


@pytest.mark.parametrize("name", SHAPES)
def test_a_row_is_what_transformers_renders(family: str, name: str, tokenizer: Tokenizer) -> None:
    shape = SHAPES[name]
    example = msgspec.convert(shape, Chat)
    if name in REFUSED.get(family, ()):
        with pytest.raises(UntrainableError) as problem:
            encoding.encode(example, tokenizer)
        assert problem.value.code in ("template_leaves_out", "template_refuses")
        assert problem.value.fix
        return
    row = encoding.encode(example, tokenizer)
    assert row.trainable
    assert row.ids[-1] in tokenizer.end_ids or row.ids[-2] in tokenizer.end_ids  # which white space may follow
    if family in ADDED:
        assert row.ids.pop() == tokenizer.eos_id
    theirs = by_transformers(tokenizer, family, shape)
    if family in PREFILLED and not (family == "deepseek-r1" and shape["messages"][-2]["role"] == "tool"):
        thought = shape["messages"][-1].get("reasoning_content", "")
        added = PREFILLED[family].format(thought)
        text, whole = (tokenizer.decode(ids, special=True) for ids in (row.ids, theirs))
        assert text.replace(added, "", 1) == whole
        assert text.count(added) == 1
    else:
        assert row.ids == theirs


@pytest.mark.parametrize("name", ["one turn", "system", "two turns", "tools", "a tool's result"])
def test_a_prompt_is_what_transformers_renders(family: str, name: str, tokenizer: Tokenizer) -> None:
    from transformers import AutoTokenizer

    if name in REFUSED.get(family, ()) or (family in NULL_CONTENT and "result" in name):
        pytest.skip("this family's template cannot write it")
    shape = {**SHAPES[name], "messages": SHAPES[name]["messages"][:-1]}
    theirs: Any = AutoTokenizer.from_pretrained(tokenizer._folder)
    messages = json.loads(json.dumps(shape["messages"]))
    for one in (one for message in messages for one in message.get("tool_calls") or ()):
        one["function"]["arguments"] = json.loads(one["function"]["arguments"])
    expected = theirs.apply_chat_template(messages, tools=shape.get("tools"), add_generation_prompt=True)["input_ids"]
    assert encoding.prompt_ids(msgspec.convert(shape, Chat), tokenizer) == expected
