"""Rows that are read for what they ask: chats in any format, with their answer or without one, and prompts alone."""

from __future__ import annotations

from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.formats import recognise
from ftbridge.dataset.formats.base import FieldReader, JsonObject
from ftbridge.dataset.formats.calls import CallIds
from ftbridge.dataset.formats.chat import read_variant
from ftbridge.dataset.formats.columns import take_prompt
from ftbridge.dataset.formats.complete import complete_chat


def translate_prompt(row: JsonObject, diagnostics: Diagnostics) -> JsonObject | None:
    """The row in the canonical form; of `{"prompt": …}` the chat that lacks its answer, with a `reference` beside it.

    None, and why in the diagnostics, for a row in which nothing is asked.
    """
    fields, known = FieldReader(row, diagnostics), recognise(row)
    if known is None and fields.has("prompt"):
        return _prompt_alone(fields)
    if known is None or known.shape == "text":
        fields.refuse(
            "the row has neither messages nor a prompt",
            'Write {"messages": [… the user\'s last]} or {"prompt": …}; --map question=prompt renames a column.',
        )
        return None
    return known.translate(fields) if known.translate else read_variant(fields, known.shape)


def _prompt_alone(row: FieldReader) -> JsonObject:
    reference = {"reference": row.take("reference")} if row.has("reference") else {}
    chat = complete_chat(row, take_prompt(row, "prompt", CallIds()))
    row.finish()
    return chat | reference
