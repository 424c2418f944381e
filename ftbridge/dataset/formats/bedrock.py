"""Amazon Bedrock's `bedrock-conversation-2024`, the rows that Nova models are tuned on.

Source: docs.aws.amazon.com/nova, "Preparing data for fine-tuning Understanding models"; read 2026-11.
"""

from __future__ import annotations

import json

from ftbridge.dataset.formats.base import FieldReader, Format, Keys, call, image, plain, turn


def _bedrock(row: FieldReader) -> Keys:
    row.anything("schemaVersion")
    messages: list[Keys] = []
    if row.has("system"):
        messages.append(turn("system", "\n".join(part.text("text") for part in row.objects("system"))))
    for message in row.objects("messages"):
        messages += _turns(message)
    row.done()
    return {"messages": messages}


def _turns(message: FieldReader) -> list[Keys]:
    role = message.text("role")
    parts: list[Keys] = []
    tool_calls: list[Keys] = []
    results: list[Keys] = []
    for block in message.objects("content"):
        if block.has("toolUse"):
            use = block.object("toolUse")
            arguments = json.dumps(use.anything("input") or {}, ensure_ascii=False)
            tool_calls.append(call(use.text("toolUseId"), use.text("name"), arguments))
            use.done()
        elif block.has("toolResult"):
            results.append(_result(block.object("toolResult")))
        elif block.has("image"):
            parts.append(_image(block.object("image")))
        else:
            parts.append({"type": "text", "text": block.text("text")})
        block.done()
    message.done()
    if results:
        return results if not parts else [*results, turn(role, plain(parts))]
    spoken = turn(role, plain(parts))
    if tool_calls:
        spoken["tool_calls"] = tool_calls
        spoken["content"] = spoken["content"] or None
    return [spoken]


def _result(result: FieldReader) -> Keys:
    identifier = result.text("toolUseId")
    said = [
        block.text("text") if block.has("text") else json.dumps(block.anything("json"), ensure_ascii=False)
        for block in result.objects("content")
    ]
    result.done()
    return {"role": "tool", "tool_call_id": identifier, "content": "\n".join(said)}


def _image(block: FieldReader) -> Keys:
    kind, source = block.text("format"), block.object("source")
    if not source.has("bytes"):
        source.refuse(
            "the image lies in S3, where no other vendor can read it", "Put its bytes into the row, in base64."
        )
        return image("")
    data = source.text("bytes")
    source.done()
    block.done()
    return image(f"data:image/{kind};base64,{data}")


FORMATS = (Format("bedrock", "chat", lambda row: "schemaVersion" in row, _bedrock),)
