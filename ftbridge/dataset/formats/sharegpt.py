"""ShareGPT: conversations of {from, value}, as FastChat, Axolotl and LLaMA-Factory read them.

Each turn may also be a question with its answer: {human, assistant} (ms-swift) or {input, output} (Capybara), or a
text alone, of the user and the assistant by turns (LIMA).

`function_call` and `observation` (LLaMA-Factory, Glaive) and `tool` (Hermes) are calls and their results,
which are told apart by their order. Sources: LLaMA-Factory, `data/README.md` and `data/converter.py`;
Axolotl, "Conversation"; ms-swift, "Custom dataset"; LDJnr/Capybara; read 2026-11.
"""

from __future__ import annotations

from typing import Any

from ftbridge.dataset.formats import hermes
from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject, message, tool_call, tool_message
from ftbridge.dataset.formats.calls import CallIds
from ftbridge.dataset.formats.complete import complete_chat
from ftbridge.dataset.formats.messages import TRAINED, as_weight, take_messages
from ftbridge.wording import counted, printable

KEYS = ("conversations", "conversation")
_ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "assistant": "assistant",
    "function_call": "call",
    "function-call": "call",
    "tool_call": "call",
    "observation": "tool",
    "tool": "tool",
    "function_response": "tool",
    "function-response": "tool",
    "tool_response": "tool",
}
_EXCHANGES = (("human", "assistant"), ("input", "output"))
_CALL_FIX = 'Write {"name": …, "arguments": {…}} as JSON, or a list of such objects.'


def _sharegpt(row: FieldReader) -> JsonObject:
    messages = take_turns(row, next(filter(row.has, KEYS), KEYS[0]), CallIds())
    translated = complete_chat(row, messages)
    if "tools" in translated and any("<tools>" in str(one.get("content")) for one in messages[:1]):
        row.warn(
            "tools_in_text",
            "the system prompt lists the tools in words, and the key 'tools' lists them once more",
            "Remove one of them: vendors and chat templates write the tools into the prompt themselves.",
        )
    row.finish()
    return translated


def take_turns(row: FieldReader, key: str, calls: CallIds) -> list[Any]:
    """The turns under `key`, a list or one of them, as canonical messages."""
    turns = row.peek(key)
    items = turns if isinstance(turns, list) else [turns]
    if isinstance(turns, list) and items and all(isinstance(one, str) for one in items):
        row.take(key)
        return [message(("user", "assistant")[index % 2], one) for index, one in enumerate(items)]
    if keys := _exchanged(items):
        return [one for turn in row.objects(key) for one in _exchange(turn, *keys)]
    if items and all(map(_is_message, items)):
        messages = take_messages(row, key, "user", calls)
        for one in messages:
            if isinstance(one.get("role"), str):
                one["role"] = _ROLES.get(one["role"].lower(), one["role"])
        return messages
    readers = [row.object(key)] if isinstance(turns, dict) else row.objects(key)
    with_tools = row.has("tools") or any(_role(turn) in ("call", "tool") for turn in readers)
    return [one for turn in readers for one in _messages(turn, with_tools, calls)]


def _exchanged(turns: list[Any]) -> tuple[str, str] | None:
    """The keys of a question and its answer, where the first turn has both."""
    first = turns[0] if turns else None
    return next((keys for keys in _EXCHANGES if isinstance(first, dict) and first.keys() >= set(keys)), None)


def _exchange(turn: FieldReader, question: str, answer: str) -> list[JsonObject]:
    messages = [message("user", turn.text(question)), message("assistant", turn.text(answer))]
    turn.finish()
    return messages


def _is_message(turn: Any) -> bool:
    """Whether a turn is a message in OpenAI's shape; one whose text is a call or its result is not."""
    if not isinstance(turn, dict) or "from" in turn or "value" in turn:
        return False
    role = turn.get("role")
    return not isinstance(role, str) or role == "tool" or _ROLES.get(role.lower()) not in ("call", "tool")


def _role(turn: FieldReader) -> str | None:
    name = turn.peek("from") or turn.peek("role")
    return _ROLES.get(name.lower()) if isinstance(name, str) else None


def _messages(turn: FieldReader, with_tools: bool, calls: CallIds) -> list[JsonObject]:
    role = _role(turn)
    name, text = turn.text("from", "role"), turn.text("value", "content")
    if role is None and name:
        turn.refuse(f"'{printable(name)}' is not a known speaker", f"Use one of: {', '.join(_ROLES)}.", "from")
    if role == "call" or (role == "assistant" and with_tools and hermes.has_calls(text)):
        translated = [_calling(turn, text, calls)]
    elif role == "tool":
        translated = _results(turn, text, calls)
    else:
        translated = [message(role or name, text)]
    for key in ("weight", *TRAINED):
        if turn.has(key):
            given = turn.take(key)
            weight = as_weight(given)
            translated[0]["weight"] = given if weight is None else weight
    if turn.take("train_detail"):
        turn.refuse("'train_detail' trains a part of the turn, and a weight is for all of it", "Remove it.")
    turn.finish()
    return translated


def _calling(turn: FieldReader, text: str, calls: CallIds) -> JsonObject:
    """The assistant's calls; text that goes with them is before them."""
    try:
        content, called = hermes.calls_in(text)
    except ValueError:
        turn.refuse("the calls of this turn cannot be read", _CALL_FIX, "value")
        return message("assistant", text)
    translated: JsonObject = message("assistant", content) if content else {"role": "assistant"}
    translated["tool_calls"] = [tool_call(calls.call(one["name"]), one["name"], one["arguments"]) for one in called]
    return translated


def _results(turn: FieldReader, text: str, calls: CallIds) -> list[JsonObject]:
    found = hermes.results(text, calls.waiting)
    if len(found) > calls.waiting:
        waiting = counted(calls.waiting, "call") if calls.waiting else "no call"
        turn.refuse(
            f"there {'is' if len(found) == 1 else 'are'} {counted(len(found), 'result')}, and {waiting} before",
            "Put each result after the turn with its call.",
            "value",
        )
    return [tool_message(calls.answer(), one) for one in found]


FORMATS = (Format("sharegpt", "chat", lambda row: any(row.get(key) is not None for key in KEYS), _sharegpt),)
