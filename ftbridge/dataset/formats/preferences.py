"""Preferences: what two answers follow, and which of them is better.

TRL has prompt, chosen and rejected, each a text or a list of messages; without a prompt it is the messages
that both have in common, and hh-rlhf has dialogues in one text. LLaMA-Factory and Axolotl have the messages,
ShareGPT turns or Alpaca's instruction before the two answers.
Sources: huggingface.co/docs/trl, "Dataset formats and types"; LLaMA-Factory, `data/README.md`; Axolotl,
"DPO: chat_template.default"; read 2026-11.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from ftbridge.dataset.formats import sharegpt
from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject, has_keys, message
from ftbridge.dataset.formats.calls import CallIds
from ftbridge.dataset.formats.columns import take_history, take_instruction, take_prompt
from ftbridge.dataset.formats.complete import complete_chat
from ftbridge.dataset.formats.dialogue import dialogue, is_dialogue
from ftbridge.dataset.formats.messages import take_messages

_SCORES = tuple(
    (f"{word}_chosen", f"{word}_rejected") if last else (f"chosen_{word}", f"rejected_{word}")
    for word in ("score", "rating")
    for last in (True, False)
)


def _preference(row: FieldReader) -> JsonObject:
    calls = CallIds()
    prompt = _prompt(row, calls)
    chosen, rejected = (_answer(row, key, calls.copy()) for key in ("chosen", "rejected"))
    if prompt is None:
        prompt = _shared(chosen, rejected)
        if not prompt:
            row.refuse("the row has two answers and no prompt", "Give what they answer under 'prompt'.")
    better = _after(prompt, chosen)
    translated = {
        "preferred_output": better,
        "non_preferred_output": _after(prompt, rejected),
        "input": complete_chat(row, prompt),
    }
    if row.has("messages") and row.peek("messages") == prompt + better:
        row.take("messages")
        row.leave_out("messages", why="repeats the chosen answer and what is before it")
    _take_scores(row)
    row.finish()
    return translated


def _take_scores(row: FieldReader) -> None:
    """Leave out the scores of the two answers, where they say the same as their names."""
    for better, worse in _SCORES:
        scores = row.peek(better), row.peek(worse)
        if not all(isinstance(score, int | float) for score in scores):
            continue
        for key in (better, worse):
            row.take(key)
            row.leave_out(key, why="repeats which answer is chosen")
        if scores[0] < scores[1]:
            row.refuse("the rejected answer has the higher score", "Exchange the answers, or remove the row.", worse)


def _prompt(row: FieldReader, calls: CallIds) -> list[Any] | None:
    """The messages before the answers; None where they are part of the answers."""
    for key in ("prompt", "question"):
        if row.has(key):
            return take_prompt(row, key, calls)
    for key in sharegpt.KEYS:
        if row.has(key):
            return sharegpt.take_turns(row, key, calls)
    if row.has("messages"):
        return take_messages(row, "messages", "user", calls)
    return take_instruction(row) if row.has("instruction") else None


def _answer(row: FieldReader, key: str, calls: CallIds) -> list[Any]:
    value = row.peek(key)
    if is_dialogue(value):
        *before, last = dialogue(row.take(key))
        ends = last["role"] == "user" and not last["content"].strip()  # a next question that was never put
        return before if ends else [*before, last]
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, dict) and "from" in first:
        return sharegpt.take_turns(row, key, calls)
    return take_messages(row, key, "assistant", calls)


def _shared(chosen: list[Any], rejected: list[Any]) -> list[Any]:
    """The messages with which both begin, but the last of each, which is an answer even where both are the same."""
    pairs = zip(chosen[:-1], rejected[:-1], strict=False)
    return [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]


def _after(prompt: list[Any], answer: list[Any]) -> list[Any]:
    return answer[len(prompt) :] if answer[: len(prompt)] == prompt else answer


def _rejected_response(row: FieldReader) -> JsonObject:
    """The rows of ms-swift: the messages, or a query and its response, end with the better answer."""
    calls = CallIds()
    if row.has("messages"):
        *before, better = take_messages(row, "messages", "user", calls) or [None]
    else:
        before = [*take_history(row), message("user", row.text("query"))]
        better = message("assistant", row.text("response"))
    worse = take_messages(row, "rejected_response", "assistant", calls)
    translated = {
        "preferred_output": [better],
        "non_preferred_output": worse,
        "input": complete_chat(row, before),
    }
    row.finish()
    return translated


def _has_rejected_response(row: JsonObject) -> bool:
    return row.get("rejected_response") is not None and (
        row.get("messages") is not None or (row.get("query") is not None and row.get("response") is not None)
    )


FORMATS = (
    Format("trl-preference", "preference", has_keys("chosen", "rejected"), _preference),
    Format("swift-preference", "preference", _has_rejected_response, _rejected_response),
)
