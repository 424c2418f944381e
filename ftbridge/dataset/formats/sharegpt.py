"""ShareGPT: conversations of {from, value}, as FastChat, Axolotl and LLaMA-Factory read them."""

from __future__ import annotations

from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject, message
from ftbridge.wording import printable

_ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "assistant": "assistant",
}


def _sharegpt(row: FieldReader) -> JsonObject:
    system = row.optional_text("system")
    messages = [message("system", system)] if system else []
    for turn in row.objects("conversations", "conversation"):
        name = turn.text("from", "role")
        translated = message(_ROLES.get(name.lower(), name), turn.text("value", "content"))
        if name.lower() not in _ROLES:
            known = ", ".join(_ROLES)
            turn.refuse(
                f"'{printable(name)}' is not a known speaker",
                f"Use one of: {known}; write tool calls in the chat format.",
                "from",
            )
        if turn.has("weight"):
            translated["weight"] = turn.take("weight")
        turn.warn_of_unread()
        messages.append(translated)
    row.warn_of_unread()
    return {"messages": messages}


FORMATS = (Format("sharegpt", "chat", lambda row: "conversations" in row or "conversation" in row, _sharegpt),)
