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

_BESIDE = frozenset({"system", "system_prompt", "tools", "parallel_tool_calls", *_REFUSED, *LABELS})
_UNPAIRED = (
    "it says whether the answer is wanted, which a chat does not: an unwanted answer would be trained as a good one"
)
_UNPAIRED_FIX = (
    "Name the format: kto-wanted trains on the wanted answers alone, kto-pairs makes preferences of wanted and "
    "unwanted answers to the same messages. Remove it where it means something else."
)


def complete_chat(row: FieldReader, messages: list[Any]) -> JsonObject:
    """A chat of `messages` with the system prompt, tools and images of the row."""
    place_images(row, messages)
    if not row.has_any(_BESIDE):
        return {"messages": messages}
    _refuse_other_meaning(row)
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


def verdict(label: Any) -> bool | None:
    """Whether a label says that an answer is wanted: true, false, 1 or 0, also as a text or 1.0; None for others."""
    if isinstance(label, str):
        label = label.strip().lower().removesuffix(".0")
    return _VERDICTS.get(label) if isinstance(label, str | int | float) else None
