"""The preference rows of Hugging Face TRL: prompt, chosen, rejected.

Each is a string, or a list of messages; without a prompt it is the messages that the two answers
have in common (huggingface.co/docs/trl, "Dataset formats and types").
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject, as_messages


def _trl(row: FieldReader) -> JsonObject:
    prompt, chosen, rejected = row.take("prompt"), row.take("chosen"), row.take("rejected")
    row.warn_of_unread()
    chosen, rejected = as_messages(chosen, "assistant"), as_messages(rejected, "assistant")
    if prompt is None:
        shared = [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(chosen, rejected, strict=False))]
    else:
        shared = as_messages(prompt, "user")
    return {
        "input": {"messages": shared},
        "preferred_output": _after(shared, chosen),
        "non_preferred_output": _after(shared, rejected),
    }


def _after(shared: list[Any], answer: list[Any]) -> list[Any]:
    return answer[len(shared) :] if answer[: len(shared)] == shared else answer


FORMATS = (Format("trl-preference", "preference", lambda row: "chosen" in row and "rejected" in row, _trl),)
