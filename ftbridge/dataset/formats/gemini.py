"""Gemini's rows on Vertex AI: contents with parts, systemInstruction, tools.

Source: docs.cloud.google.com, "Prepare supervised fine-tuning data", and the reference of
`Content` and `Part`; read 2026-11.
"""

from __future__ import annotations

import json
from itertools import count

from ftbridge.dataset.formats.base import FieldReader, Format, Keys, call, image, plain, turn
from ftbridge.wording import printable


def _gemini(row: FieldReader) -> Keys:
    calls = _Calls()
    messages: list[Keys] = []
    for name in ("systemInstruction", "system_instruction"):
        if row.has(name):
            instruction = row.object(name)
            instruction.anything("role")
            messages.append(turn("system", "\n".join(part.text("text") for part in instruction.objects("parts"))))
            instruction.done()
    for content in row.objects("contents"):
        messages += _turns(content, calls)
    translated: Keys = {"messages": messages}
    if row.has("tools"):
        translated["tools"] = [
            {"type": "function", "function": function}
            for tool in row.objects("tools")
            for function in tool.anything("functionDeclarations") or tool.anything("function_declarations") or ()
        ]
    row.done()
    return translated


class _Calls:
    """Gemini's calls have no ids and are answered by name: this gives them ids, in order."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._open: list[tuple[str, str]] = []

    def made(self, name: str) -> str:
        self._open.append((f"call_{next(self._numbers)}", name))
        return self._open[-1][0]

    def answered(self, name: str) -> str:
        """The id of the oldest open call of `name`; "" where there is none."""
        for index, (identifier, called) in enumerate(self._open):
            if called == name:
                del self._open[index]
                return identifier
        return ""


def _turns(content: FieldReader, calls: _Calls) -> list[Keys]:
    """One content as messages: each function response becomes one of its own."""
    role = content.maybe("role") or "user"
    parts: list[Keys] = []
    tool_calls: list[Keys] = []
    results: list[Keys] = []
    for part in content.objects("parts"):
        if part.has("functionCall"):
            made = part.object("functionCall")
            name, arguments = made.text("name"), json.dumps(made.anything("args") or {}, ensure_ascii=False)
            tool_calls.append(call(calls.made(name), name, arguments))
            made.done()
        elif part.has("functionResponse"):
            answer = part.object("functionResponse")
            name, said = answer.text("name"), json.dumps(answer.anything("response"), ensure_ascii=False)
            results.append({"role": "tool", "tool_call_id": calls.answered(name), "name": name, "content": said})
            answer.done()
        elif part.has("inlineData"):
            data = part.object("inlineData")
            parts.append(image(f"data:{data.text('mimeType')};base64,{data.text('data')}"))
            data.done()
        elif part.has("fileData"):
            file = part.object("fileData")
            parts.append(image(file.text("fileUri")))
            file.anything("mimeType")
            file.done()
        else:
            parts.append({"type": "text", "text": part.text("text")})
        part.done()
    content.done()
    if results:
        return results
    if role not in ("user", "model"):
        content.refuse(f"'{printable(role)}' is not a role of Gemini's", "Use 'user' or 'model'.", "role")
    message = turn("assistant" if role == "model" else "user", plain(parts))
    if tool_calls:
        message["tool_calls"] = tool_calls
        message["content"] = message["content"] or None
    return [message]


FORMATS = (Format("gemini", "chat", lambda row: "contents" in row, _gemini),)
