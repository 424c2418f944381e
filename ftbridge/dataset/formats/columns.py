"""Rows of a question and an answer in columns: prompt/completion, input/output, Alpaca, dolly and those of ms-swift.

Sources: huggingface.co/docs/trl, "Dataset formats and types"; LLaMA-Factory, `data/README.md` and
`data/converter.py`; ms-swift, "Custom dataset"; read 2026-11.
"""

from __future__ import annotations

from typing import Any

from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject, has_keys, message
from ftbridge.dataset.formats.calls import CallIds
from ftbridge.dataset.formats.complete import complete_chat
from ftbridge.dataset.formats.dialogue import dialogue, is_dialogue
from ftbridge.dataset.formats.messages import take_messages


def take_prompt(row: FieldReader, key: str, calls: CallIds) -> list[Any]:
    """The messages before the answer: a list of them, a dialogue in one text, or what the user said."""
    if not is_dialogue(row.peek(key)):
        return take_messages(row, key, "user", calls)
    *before, last = dialogue(row.take(key))
    if not last["content"].strip():  # the assistant, who is to answer
        return before
    if last["role"] == "assistant":
        row.refuse(
            "the dialogue ends within an answer, of which an example cannot train the rest alone",
            "End it with 'Assistant:', and write the answer as a whole.",
            key,
        )
    return [*before, last]


def take_instruction(row: FieldReader) -> list[JsonObject]:
    """Alpaca's question with the turns before it. The input, if any, is on the line after the instruction."""
    messages = take_history(row)
    said = [row.text("instruction"), row.optional_text("input", "context")]
    messages.append(message("user", "\n".join(filter(None, said))))
    return messages


def take_history(row: FieldReader) -> list[JsonObject]:
    """The turns before the question, which Alpaca's and ms-swift's rows have as pairs."""
    messages: list[JsonObject] = []
    history = row.take("history") or []
    for exchange in history if isinstance(history, list) else [history]:
        if isinstance(exchange, list) and len(exchange) == 2:
            messages += [message("user", exchange[0]), message("assistant", exchange[1])]
        else:
            row.refuse(
                "history must contain pairs of a question and an answer", "Write [[question, answer], …].", "history"
            )
    return messages


def _prompt_completion(row: FieldReader) -> JsonObject:
    return _question_answer(row, "prompt", "completion")


def _input_output(row: FieldReader) -> JsonObject:
    return _question_answer(row, "input", "output")


def _question_answer(row: FieldReader, question: str, answer: str) -> JsonObject:
    """Both may be lists of messages instead of strings. Only the completion is trained, as TRL does by default."""
    calls = CallIds()
    before = take_prompt(row, question, calls)
    for one in before:
        if isinstance(one, dict) and one.get("role") == "assistant":
            one["weight"] = 0
    translated = complete_chat(row, before + take_messages(row, answer, "assistant", calls))
    row.finish()
    return translated


def _query_response(row: FieldReader) -> JsonObject:
    messages = take_history(row)
    messages += [message("user", row.text("query")), message("assistant", row.text("response"))]
    translated = complete_chat(row, messages)
    row.finish()
    return translated


def _human_assistant(row: FieldReader) -> JsonObject:
    return _question_answer(row, "human", "assistant")


def _alpaca(row: FieldReader) -> JsonObject:
    messages = [*take_instruction(row), message("assistant", row.text("output", "response"))]
    translated = complete_chat(row, messages)
    row.finish()
    return translated


FORMATS = (
    Format("prompt-completion", "chat", has_keys("prompt", "completion"), _prompt_completion),
    Format("alpaca", "chat", has_keys("instruction", "output"), _alpaca),
    Format("dolly", "chat", has_keys("instruction", "response"), _alpaca),
    Format("query-response", "chat", has_keys("query", "response"), _query_response),
    Format("human-assistant", "chat", has_keys("human", "assistant"), _human_assistant),
    Format("input-output", "chat", has_keys("input", "output"), _input_output),
)
