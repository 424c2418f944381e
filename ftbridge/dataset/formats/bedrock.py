"""Amazon Bedrock's `bedrock-conversation-2024`, the rows that Nova models are tuned on.

Source: docs.aws.amazon.com/nova, "Preparing data for fine-tuning Understanding models"; read 2026-11.
"""

from __future__ import annotations

import json

from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject, image_part, join_text, message, tool_call


def _bedrock(row: FieldReader) -> JsonObject:
    row.take("schemaVersion")
    messages: list[JsonObject] = []
    if row.has("system"):
        messages.append(message("system", "\n".join(part.text("text") for part in row.objects("system"))))
    for turn in row.objects("messages"):
        messages += _messages(turn)
    row.warn_of_unread()
    return {"messages": messages}


def _messages(turn: FieldReader) -> list[JsonObject]:
    role = turn.text("role")
    parts: list[JsonObject] = []
    tool_calls: list[JsonObject] = []
    results: list[JsonObject] = []
    for block in turn.objects("content"):
        if block.has("toolUse"):
            use = block.object("toolUse")
            arguments = json.dumps(use.take("input") or {}, ensure_ascii=False)
            tool_calls.append(tool_call(use.text("toolUseId"), use.text("name"), arguments))
            use.warn_of_unread()
        elif block.has("toolResult"):
            results.append(_result(block.object("toolResult")))
        elif block.has("image"):
            parts.append(_image(block.object("image")))
        else:
            parts.append({"type": "text", "text": block.text("text")})
        block.warn_of_unread()
    turn.warn_of_unread()
    if results:
        return results if not parts else [*results, message(role, join_text(parts))]
    translated = message(role, join_text(parts))
    if tool_calls:
        translated["tool_calls"] = tool_calls
        translated["content"] = translated["content"] or None
    return [translated]


def _result(result: FieldReader) -> JsonObject:
    identifier = result.text("toolUseId")
    texts = [
        block.text("text") if block.has("text") else json.dumps(block.take("json"), ensure_ascii=False)
        for block in result.objects("content")
    ]
    result.warn_of_unread()
    return {"role": "tool", "tool_call_id": identifier, "content": "\n".join(texts)}


def _image(block: FieldReader) -> JsonObject:
    kind, source = block.text("format"), block.object("source")
    if not source.has("bytes"):
        source.refuse("the image is in S3, where no other vendor can read it", "Put its bytes into the row, in base64.")
        return image_part("")
    data = source.text("bytes")
    source.warn_of_unread()
    block.warn_of_unread()
    return image_part(f"data:image/{kind};base64,{data}")


FORMATS = (Format("bedrock", "chat", lambda row: "schemaVersion" in row, _bedrock),)
