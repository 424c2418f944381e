"""Glaive's function-calling rows, version 2: a dialogue in one text, and the functions in words before it.

    {"system": "SYSTEM: … with access to the following functions. Use them if required -\\n{…}\\n{…}",
     "chat": "USER: …\\n\\n\\nASSISTANT: <functioncall> {"name": …, "arguments": '{…}'} <|endoftext|>\\n\\n\\n
              FUNCTION RESPONSE: {…}\\n\\n\\nASSISTANT: … <|endoftext|>"}

Source: glaiveai/glaive-function-calling-v2, its dataset card and first rows; read 2026-11.
"""

from __future__ import annotations

import json
import re

from ftbridge.dataset.formats import hermes
from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject, message, tool_call, tool_message
from ftbridge.dataset.formats.calls import CallIds
from ftbridge.dataset.formats.complete import complete_chat

_ANNOUNCED = re.compile(r"You are a helpful assistant with access to the following functions\. Use them if required -")
_TURN = re.compile(r"(?:\A|\n{3})\s*(USER|ASSISTANT|FUNCTION RESPONSE):")
_CALL = "<functioncall>"
_END = "<|endoftext|>"
_QUOTED = re.compile(r"""\{\s*"name":\s*"(?P<name>[^"\\]*)",\s*"arguments":\s*'(?P<arguments>.*)'\s*\}""", re.DOTALL)
_FIX = """Write <functioncall> {"name": "f", "arguments": '{…}'} with JSON in it, and nothing after it."""


def is_glaive(row: JsonObject) -> bool:
    """Whether a row has a dialogue of that kind."""
    chat = row.get("chat")
    return isinstance(chat, str) and _TURN.match(chat) is not None


def _glaive(row: FieldReader) -> JsonObject:
    system, functions = _instructions(row)
    calls = CallIds()
    _, *turns = _TURN.split(row.text("chat"))
    messages = [message("system", system)] if system else []
    for speaker, said in zip(turns[0::2], turns[1::2], strict=True):
        messages.append(_message(row, speaker, said.strip().removesuffix(_END).rstrip(), calls))
    translated = complete_chat(row, messages)
    if functions:
        translated["tools"] = [{"type": "function", "function": one} for one in functions]
    row.finish()
    return translated


def _instructions(row: FieldReader) -> tuple[str, list[JsonObject]]:
    """The system prompt, and the functions that it lists; the sentence that announces them goes with them."""
    text = (row.optional_text("system") or "").strip().removeprefix("SYSTEM:").strip()
    announced = _ANNOUNCED.search(text)
    if announced is None:
        return text, []
    functions, rest = [], text[announced.end() :].strip()
    while rest:
        try:
            function, end = json.JSONDecoder().raw_decode(rest)
        except ValueError:
            function, end = None, len(rest)
        if not isinstance(function, dict):
            row.refuse(
                "the functions that the system prompt announces are not JSON", "Mend or remove the row.", "system"
            )
            return text, []
        functions.append(function)
        rest = rest[end:].lstrip(" \n,")
    return text[: announced.start()].strip(), functions


def _message(row: FieldReader, speaker: str, said: str, calls: CallIds) -> JsonObject:
    if speaker == "USER":
        return message("user", said)
    if speaker == "FUNCTION RESPONSE":
        if not calls.waiting:
            row.refuse("there is a function response, and no call before", "Remove the row.", "chat")
        return tool_message(calls.answer(), said)
    content, mark, called = said.partition(_CALL)
    if not mark:
        return message("assistant", said)
    try:
        name, arguments = _call(called.strip())
    except ValueError:
        row.refuse("a call in the dialogue cannot be read", _FIX, "chat")
        return message("assistant", said)
    answer = message("assistant", content.strip()) if content.strip() else {"role": "assistant"}
    return answer | {"tool_calls": [tool_call(calls.call(name), name, arguments)]}


def _call(text: str) -> tuple[str, str]:
    """The name and the arguments of a call, which are JSON in single quotes. Raises `ValueError` for another form."""
    if quoted := _QUOTED.fullmatch(text):
        arguments = quoted["arguments"].replace("\\'", "'")
        json.loads(arguments)
        return quoted["name"], arguments
    _, [call] = hermes.calls_in(text)
    return call["name"], call["arguments"]


FORMATS = (Format("glaive", "chat", is_glaive, _glaive),)
