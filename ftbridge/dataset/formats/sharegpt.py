"""ShareGPT: conversations of {from, value}, as FastChat, Axolotl and LLaMA-Factory read them."""

from __future__ import annotations

from ftbridge.dataset.formats.base import FieldReader, Format, Keys, turn
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


def _sharegpt(row: FieldReader) -> Keys:
    system = row.maybe("system")
    messages = [turn("system", system)] if system else []
    for said in row.objects("conversations", "conversation"):
        name = said.text("from", "role")
        message = turn(_ROLES.get(name.lower(), name), said.text("value", "content"))
        if name.lower() not in _ROLES:
            known = ", ".join(_ROLES)
            said.refuse(
                f"'{printable(name)}' is not a speaker", f"Use one of: {known}; write tool calls as chat.", "from"
            )
        if said.has("weight"):
            message["weight"] = said.anything("weight")
        said.done()
        messages.append(message)
    row.done()
    return {"messages": messages}


FORMATS = (Format("sharegpt", "chat", lambda row: "conversations" in row or "conversation" in row, _sharegpt),)
