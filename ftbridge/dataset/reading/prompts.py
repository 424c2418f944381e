"""The prompts of a file: what each of its rows asks, and what it says about the answer."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ftbridge.dataset.canonical.example import Assistant, Chat
from ftbridge.dataset.canonical.rules import check_prompt
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.formats import CHAT
from ftbridge.dataset.formats.prompts import translate_prompt
from ftbridge.dataset.reading.examples import raise_first_error
from ftbridge.dataset.reading.rows import Row, from_json
from ftbridge.dataset.reading.source import open_source
from ftbridge.dataset.reading.syntax import parse
from ftbridge.dataset.unforeseen import report_unforeseen
from ftbridge.errors import DataError
from ftbridge.wording import json_kind


class Prompt(Struct, frozen=True):
    """What a row asks: a chat whose last message a model is to answer.

    `answer` is the assistant's last message in the row, which is not part of it, and `reference` that of a task.
    """

    chat: Chat
    answer: Assistant | None = None
    reference: dict[str, Any] | None = None


def read_prompts(data: Data) -> dict[int, Prompt]:
    """The prompts of a file by their lines, whatever the format of each row.

    Raises `DataError` at the first row that asks nothing or is not valid, and where there is none, and `InputError`
    for what cannot be opened.
    """
    diagnostics, prompts = Diagnostics(), dict[int, Prompt]()
    with open_source(data, CHAT.name) as source:
        if source.format != CHAT.name:  # its reader knows why the file cannot be read
            next(source.examples(diagnostics), None)
            raise_first_error(source.name, diagnostics)
        for diagnostics.line, raw in source.rows:
            prompt = _read(raw, diagnostics)
            raise_first_error(source.name, diagnostics)
            if prompt is not None:
                prompts[diagnostics.line] = prompt
        if not prompts:
            raise DataError(f"{source.name} has no prompts", hint="Write one row for each question.")
    return prompts


def _read(raw: Row, diagnostics: Diagnostics) -> Prompt | None:
    try:
        row = raw if isinstance(raw, dict) else parse(raw, diagnostics)
        translated = translate_prompt(row, diagnostics) if row is not None else None
        return _prompt(translated, diagnostics) if translated is not None and not diagnostics.errors else None
    except Exception as unforeseen:
        report_unforeseen(unforeseen, diagnostics)
        return None


def _prompt(translated: dict[str, Any], diagnostics: Diagnostics) -> Prompt | None:
    reference = translated.pop("reference", None)
    if reference is not None and not isinstance(reference, dict):
        message = f"the reference is {json_kind(reference)}, not an object"
        diagnostics.error("$.reference", "format", message, 'Write an object, such as {"answer": "42"}.')
        return None
    if "preferred_output" in translated:
        translated = _preferred(translated)
    chat = from_json(translated, "chat", diagnostics, check_prompt)
    if not isinstance(chat, Chat):
        return None
    *before, last = chat.messages
    if isinstance(last, Assistant):
        return Prompt(replace(chat, messages=before), last, reference)
    return Prompt(chat, None, reference)


def _preferred(pair: dict[str, Any]) -> dict[str, Any]:
    """A preference as a chat with its better answer."""
    chat, output = pair.get("input"), pair["preferred_output"]
    if not isinstance(chat, dict) or not isinstance(before := chat.get("messages"), list):
        return {"messages": chat}  # for the rules to refuse
    return {**chat, "messages": [*before, *output] if isinstance(output, list) else output}
