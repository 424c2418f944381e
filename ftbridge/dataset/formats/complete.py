"""What a row says beside its messages, in whatever format: the system prompt, tools and media."""

from __future__ import annotations

from typing import Any

from ftbridge.dataset.formats.base import FieldReader, JsonObject, message
from ftbridge.dataset.formats.images import place_images
from ftbridge.dataset.formats.tools import take_tools

LABELS = ("label", "kto_tag")
_VERDICTS: dict[str | float, bool] = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}
_REFUSED = {
    **dict.fromkeys(
        ("videos", "video", "audios", "audio"),
        ("it goes with the messages, and examples have texts and images only", "Remove such rows."),
    ),
    **dict.fromkeys(
        ("chosen", "rejected", "rejected_response", "preferred_output", "non_preferred_output"),
        ("it makes the row a preference, and the file is read as chats", "Keep preferences in a file of their own."),
    ),
    "chat_template_kwargs": (
        "options of the chat template have no equivalent, and change what is trained",
        "Remove them where the template's defaults are meant.",
    ),
}
"""Keys beside the messages that carry meaning which a chat cannot say: why, and what to do."""

_REPEATS = ("prompt", "text")
_BESIDE = frozenset({"system", "system_prompt", "tools", "parallel_tool_calls", *_REFUSED, *LABELS, *_REPEATS})
_UNPAIRED = (
    "it says whether the answer is wanted, which a chat does not: an unwanted answer would be trained as a good one"
)
_UNPAIRED_FIX = (
    "Name the format: kto-wanted trains on the wanted answers alone, kto-pairs makes preferences of wanted and "
    "unwanted answers to the same messages. Remove it where it means something else: --map label=unused."
)


def complete_chat(row: FieldReader, messages: list[Any]) -> JsonObject:
    """A chat of `messages` with the system prompt, tools and images of the row."""
    place_images(row, messages)
    if not row.has_any(_BESIDE):
        return {"messages": messages}
    _refuse_other_meaning(row)
    _leave_out_repeats(row, messages)
    system = row.optional_text("system", "system_prompt")
    if system:
        messages = [message("system", system), *messages]
    translated: JsonObject = {"messages": messages}
    tools = take_tools(row, "tools") if row.has("tools") else None
    if tools:
        translated["tools"] = tools
    if row.has("parallel_tool_calls"):
        translated["parallel_tool_calls"] = row.take("parallel_tool_calls")
    return translated


def _refuse_other_meaning(row: FieldReader) -> None:
    for key in filter(row.has, _REFUSED):
        if row.take(key):
            row.refuse(*_REFUSED[key], key)
    for key in LABELS:
        if verdict(row.peek(key)) is not None:
            row.take(key)
            row.refuse(_UNPAIRED, _UNPAIRED_FIX, key)


def _leave_out_repeats(row: FieldReader, messages: list[Any]) -> None:
    """Leave out the prompt where the user says it, as in UltraChat, and a text of all that is said, as in Alpaca."""
    for key in filter(row.has, _REPEATS):
        given = row.peek(key)
        if isinstance(given, str) and (_is_said if key == "prompt" else _holds_all)(given, messages):
            row.take(key)
            row.leave_out(key, why="repeats the messages")


def _is_said(prompt: str, messages: list[Any]) -> bool:
    first = next((one for one in messages if isinstance(one, dict) and one.get("role") == "user"), {})
    said = first.get("content")
    return isinstance(said, str) and said.strip() == prompt.strip()


def _holds_all(text: str, messages: list[Any]) -> bool:
    """Whether every line that is said is in the text, among the words of some template."""
    said = [one.get("content") if isinstance(one, dict) else None for one in messages]
    return all(isinstance(one, str) and all(line in text for line in one.splitlines()) for one in said)


def verdict(label: Any) -> bool | None:
    """Whether a label says that an answer is wanted: true, false, 1 or 0, also as a text or 1.0; None for others."""
    if isinstance(label, str):
        label = label.strip().lower().removesuffix(".0")
    return _VERDICTS.get(label) if isinstance(label, str | int | float) else None
