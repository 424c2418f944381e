"""Amazon Bedrock's `bedrock-conversation-2024`, the rows that Nova models are tuned on.

Sources: docs.aws.amazon.com/nova, "Preparing data for fine-tuning Understanding models"; the Converse API's
`Message`, `ContentBlock` and `ToolConfiguration`; read 2026-11.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from ftbridge.dataset.formats.base import (
    FieldReader,
    Format,
    JsonObject,
    as_content,
    has_keys,
    image_part,
    message,
    text_part,
    tool_call,
    tool_message,
)
from ftbridge.wording import printable

_READ = "text, image, toolUse, toolResult and reasoningContent"


def _bedrock(row: FieldReader) -> JsonObject:
    row.take("schemaVersion")
    messages: list[JsonObject] = []
    if row.has("system"):
        blocks = [block for block in row.objects("system") if block.take("cachePoint") is None]
        messages.append(message("system", as_content([text_part(_text_alone(block)) for block in blocks])))
    for turn in row.objects("messages"):
        messages += _messages(turn)
    translated: JsonObject = {"messages": messages}
    if row.has("toolConfig"):
        translated["tools"] = _tools(row.object("toolConfig"))
    row.finish()
    return translated


class _Turn(NamedTuple):
    """What the blocks of a turn are, each kind in order."""

    parts: list[JsonObject]
    calls: list[JsonObject]
    results: list[JsonObject]
    thoughts: list[str]


def _messages(turn: FieldReader) -> list[JsonObject]:
    role, found = turn.text("role"), _Turn([], [], [], [])
    for block in turn.objects("content"):
        _read(block, found)
        block.finish()
    turn.finish()
    if found.results and not found.parts:
        return found.results
    translated = message(role, as_content(found.parts))
    if found.thoughts:
        translated["reasoning_content"] = "".join(found.thoughts)
    if found.calls:
        translated["tool_calls"] = found.calls
        if not found.parts:
            del translated["content"]
    return [*found.results, translated]


def _read(block: FieldReader, found: _Turn) -> None:
    if block.has("toolUse"):
        found.calls.append(_call(block.object("toolUse")))
    elif block.has("toolResult"):
        if found.parts:
            block.refuse(
                "the result comes after something that the user says, and in a chat it follows its call",
                "Put the toolResult first.",
            )
        found.results.append(_result(block.object("toolResult")))
    elif block.has("reasoningContent"):
        found.thoughts.append(_thought(block.object("reasoningContent")))
    elif block.has("image"):
        found.parts.append(_image(block.object("image")))
    elif block.has("text"):
        if found.calls:
            block.refuse("the text comes after a call, and in a chat it is before", "Put it before the toolUse.")
        found.parts.append(text_part(block.text("text")))
    elif block.take("cachePoint") is None:
        kind = printable(next(iter(block.take_rest()), "nothing"))
        block.refuse(f"a block with '{kind}' is not read", f"Blocks that are read: {_READ}.")


def _call(use: FieldReader) -> JsonObject:
    arguments = json.dumps(use.take("input") or {}, ensure_ascii=False)
    call = tool_call(use.text("toolUseId"), use.text("name"), arguments)
    use.finish()
    return call


def _result(result: FieldReader) -> JsonObject:
    identifier = result.text("toolUseId")
    parts = [_result_part(block) for block in result.objects("content")]
    if result.take("status") == "error":
        result.refuse("a result that is an error is said by its text alone in a chat", "Remove 'status'.", "status")
    result.finish()
    return tool_message(identifier, as_content(parts))


def _result_part(block: FieldReader) -> JsonObject:
    if block.has("json"):
        value = block.take("json")
        block.finish()
        return text_part(json.dumps(value, ensure_ascii=False))
    return text_part(_text_alone(block))


def _text_alone(block: FieldReader) -> str:
    """The text of a block where examples have no other kind."""
    others = ", ".join(f"'{printable(key)}'" for key in block.rest() if key != "text")
    if not others:
        return block.text("text")
    block.refuse(f"a block with {others} is not read here", "Blocks that are read here have a text alone.")
    return ""


def _thought(reasoning: FieldReader) -> str:
    if not reasoning.has("reasoningText"):
        reasoning.refuse("encrypted reasoning can be read nowhere else", "Remove the block, or give reasoningText.")
        return ""
    thought = reasoning.object("reasoningText")
    thought.take("signature")  # it proves to Amazon that the thought is the model's
    text = thought.text("text")
    thought.finish()
    reasoning.finish()
    return text


def _image(block: FieldReader) -> JsonObject:
    kind, source = block.text("format"), block.object("source")
    if not source.has("bytes"):
        source.refuse("the image is in S3, where no other vendor can read it", "Put its bytes into the row, in base64.")
        return image_part("")
    data = source.text("bytes")
    source.finish()
    block.finish()
    return image_part(f"data:image/{kind};base64,{data}")


def _tools(config: FieldReader) -> list[JsonObject]:
    tools = [_tool(tool) for tool in config.objects("tools") if tool.take("cachePoint") is None]
    if config.has("toolChoice") and set(config.object("toolChoice").take_rest()) != {"auto"}:
        config.refuse("it forces a call, which examples cannot say", "Remove it, or use auto.", "toolChoice")
    config.finish()
    return tools


def _tool(tool: FieldReader) -> JsonObject:
    spec = tool.object("toolSpec")
    function: JsonObject = {"name": spec.text("name")}
    if spec.has("description"):
        function["description"] = spec.take("description")
    if spec.has("inputSchema"):
        schema = spec.object("inputSchema")
        function["parameters"] = schema.take("json")
        schema.finish()
    if spec.has("strict"):
        function["strict"] = spec.take("strict")
    spec.finish()
    tool.finish()
    return {"type": "function", "function": function}


FORMATS = (Format("bedrock", "chat", has_keys("schemaVersion"), _bedrock),)
