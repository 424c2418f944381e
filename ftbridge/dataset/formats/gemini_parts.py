"""The parts of Gemini's contents as messages.

Texts of the model's turn follow each other without anything between, as Google's SDKs join them in
`response.text`; those of other turns stay parts. A thought is reasoning, never an answer.
Sources: the discovery document of Vertex AI (v1beta1), `Content` and `Part`; python-genai, `types.py`; read 2026-11.
"""

from __future__ import annotations

import json
import re

from ftbridge.dataset.formats.base import (
    FieldReader,
    JsonObject,
    as_content,
    image_part,
    message,
    text_part,
    tool_call,
    tool_message,
)
from ftbridge.dataset.formats.calls import CallIds
from ftbridge.wording import printable

_DETAILS = {"LOW": "low", "HIGH": "high", "ULTRA_HIGH": "high"}
_ROLES = ("user", "model", "function")  # the last is the first API's, for results
CAMEL_CASE = {
    re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name): name
    for name in (
        *("systemInstruction", "generationConfig", "safetySettings", "toolConfig", "cachedContent"),
        *("functionDeclarations", "functionCallingConfig", "parametersJsonSchema"),
        *("functionCall", "functionResponse", "inlineData", "fileData", "executableCode", "codeExecutionResult"),
        *("thoughtSignature", "mediaResolution", "mimeType", "fileUri", "displayName", "willContinue"),
    )
}
"""The keys of the API by their names in Python, under which Google's SDK writes them (`model_dump()`)."""

_READ = "text, functionCall, functionResponse, inlineData and fileData"


def instruction(content: FieldReader) -> JsonObject:
    """The system message of a systemInstruction."""
    content.take("role")
    texts = [text_part(_text_alone(part)) for part in content.objects("parts")]
    content.finish()
    return message("system", as_content(texts))


def _text_alone(part: FieldReader) -> str:
    text = part.text("text")
    for key in part.take_rest():
        part.refuse(f"a systemInstruction has texts alone, and '{printable(key)}' is not read here", "Remove it.", key)
    return text


def turns(content: FieldReader, calls: CallIds) -> list[JsonObject]:
    """One content as messages: each function response becomes a message of its own."""
    role = content.optional_text("role") or "user"
    if role not in _ROLES:
        content.refuse(f"'{printable(role)}' is not a Gemini role", "Use 'user' or 'model'.", "role")
    parts = content.objects("parts")
    messages = _answer(parts, calls) if role == "model" else _said(parts, calls)
    content.finish()
    return messages


def _answer(parts: list[FieldReader], calls: CallIds) -> list[JsonObject]:
    said: list[str] = []
    thoughts: list[str] = []
    tool_calls: list[JsonObject] = []
    for part in parts:
        part.rename(CAMEL_CASE)
        if part.has("functionCall"):
            tool_calls.append(_call(part.object("functionCall"), calls))
        elif part.take("thought"):
            thoughts.append(part.text("text"))
        elif not _is_unread(part):
            if tool_calls:
                part.refuse("the text comes after a call, and in a chat it is before", "Put it before the call.")
            said.append(part.text("text"))
        part.take("thoughtSignature")  # it stands for a thought at Google, and nowhere else
        part.finish()
    answer = message("assistant", "".join(said))
    if thoughts:
        answer["reasoning_content"] = "".join(thoughts)
    if tool_calls:
        answer["tool_calls"] = tool_calls
        if not said:
            del answer["content"]
    return [answer]


def _said(parts: list[FieldReader], calls: CallIds) -> list[JsonObject]:
    results: list[JsonObject] = []
    said: list[JsonObject] = []
    for part in parts:
        part.rename(CAMEL_CASE)
        if part.has("functionResponse"):
            if said:
                part.refuse(
                    "the result comes after something that the user says, and in a chat it follows its call",
                    "Put the functionResponse first.",
                )
            results.append(_result(part.object("functionResponse"), calls))
        elif part.has("inlineData"):
            data = part.object("inlineData")
            data.rename(CAMEL_CASE)
            said.append(_image(part, data, f"data:{data.peek('mimeType')};base64,{data.text('data')}"))
        elif part.has("fileData"):
            file = part.object("fileData")
            file.rename(CAMEL_CASE)
            said.append(_image(part, file, file.text("fileUri")))
        elif part.take("thought"):
            part.refuse("only the model thinks", "Remove the part.")
        elif not _is_unread(part):
            said.append(text_part(part.text("text")))
        part.finish()
    return [*results, message("user", as_content(said))] if said or not results else results


def _is_unread(part: FieldReader) -> bool:
    """Whether the part is of a kind that examples do not have; then it is refused."""
    for key in ("functionResponse", "inlineData", "fileData", "executableCode", "codeExecutionResult", "functionCall"):
        if part.take(key) is not None:
            part.refuse(f"'{key}' is not read here", f"Parts that are read: {_READ}, each in the turn it is for.", key)
            return True
    return False


def _call(call: FieldReader, calls: CallIds) -> JsonObject:
    name, arguments = call.text("name"), json.dumps(call.take("args") or {}, ensure_ascii=False)
    identifier = calls.call(name, call.optional_text("id"))
    call.finish()
    return tool_call(identifier, name, arguments)


def _result(response: FieldReader, calls: CallIds) -> JsonObject:
    response.rename(CAMEL_CASE)
    name, content = response.text("name"), json.dumps(response.take("response"), ensure_ascii=False)
    identifier = calls.answer(name, response.optional_text("id"))
    if response.take("parts"):
        response.refuse("the result has media, of which examples have none", "Describe them in 'response'.", "parts")
    response.take("willContinue")
    response.finish()
    return tool_message(identifier, content) | {"name": name}


def _image(part: FieldReader, data: FieldReader, url: str) -> JsonObject:
    kind = data.optional_text("mimeType") or ""
    if kind and not kind.startswith("image/"):
        data.refuse(f"'{printable(kind)}' is not an image", "Remove such rows: examples have texts and images.")
    data.take("displayName")
    data.finish()
    resolution = part.object("mediaResolution").optional_text("level") if part.has("mediaResolution") else None
    return image_part(url, _DETAILS.get((resolution or "").removeprefix("MEDIA_RESOLUTION_")))
