"""Gemini's rows on Vertex AI: contents with parts, systemInstruction, tools.

Source: docs.cloud.google.com, "Prepare supervised fine-tuning data", and the reference of
`Content` and `Part`; read 2026-11.
"""

from __future__ import annotations

import json
from itertools import count

from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject, image_part, join_text, message, tool_call
from ftbridge.wording import printable


def _gemini(row: FieldReader) -> JsonObject:
    calls = _CallIds()
    messages: list[JsonObject] = []
    for name in ("systemInstruction", "system_instruction"):
        if row.has(name):
            instruction = row.object(name)
            instruction.take("role")
            messages.append(message("system", "\n".join(part.text("text") for part in instruction.objects("parts"))))
            instruction.warn_of_unread()
    for content in row.objects("contents"):
        messages += _turns(content, calls)
    translated: JsonObject = {"messages": messages}
    if row.has("tools"):
        translated["tools"] = [
            {"type": "function", "function": function}
            for tool in row.objects("tools")
            for function in tool.take("functionDeclarations") or tool.take("function_declarations") or ()
        ]
    row.warn_of_unread()
    return translated


class _CallIds:
    """Gemini's calls have no ids and are answered by name: this assigns ids, in order."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._open: list[tuple[str, str]] = []

    def new(self, name: str) -> str:
        """An id for a new call of `name`."""
        self._open.append((f"call_{next(self._numbers)}", name))
        return self._open[-1][0]

    def answer(self, name: str) -> str:
        """The id of the oldest open call of `name`; "" where there is none."""
        for index, (identifier, function) in enumerate(self._open):
            if function == name:
                del self._open[index]
                return identifier
        return ""


def _turns(content: FieldReader, calls: _CallIds) -> list[JsonObject]:
    """One content as messages: each function response becomes a message of its own."""
    role = content.optional_text("role") or "user"
    parts: list[JsonObject] = []
    tool_calls: list[JsonObject] = []
    results: list[JsonObject] = []
    for part in content.objects("parts"):
        if part.has("functionCall"):
            call = part.object("functionCall")
            name, arguments = call.text("name"), json.dumps(call.take("args") or {}, ensure_ascii=False)
            tool_calls.append(tool_call(calls.new(name), name, arguments))
            call.warn_of_unread()
        elif part.has("functionResponse"):
            response = part.object("functionResponse")
            name, content_json = response.text("name"), json.dumps(response.take("response"), ensure_ascii=False)
            results.append({"role": "tool", "tool_call_id": calls.answer(name), "name": name, "content": content_json})
            response.warn_of_unread()
        elif part.has("inlineData"):
            data = part.object("inlineData")
            parts.append(image_part(f"data:{data.text('mimeType')};base64,{data.text('data')}"))
            data.warn_of_unread()
        elif part.has("fileData"):
            file = part.object("fileData")
            parts.append(image_part(file.text("fileUri")))
            file.take("mimeType")
            file.warn_of_unread()
        else:
            parts.append({"type": "text", "text": part.text("text")})
        part.warn_of_unread()
    content.warn_of_unread()
    if results:
        return results
    if role not in ("user", "model"):
        content.refuse(f"'{printable(role)}' is not a Gemini role", "Use 'user' or 'model'.", "role")
    translated = message("assistant" if role == "model" else "user", join_text(parts))
    if tool_calls:
        translated["tool_calls"] = tool_calls
        translated["content"] = translated["content"] or None
    return [translated]


FORMATS = (Format("gemini", "chat", lambda row: "contents" in row, _gemini),)
