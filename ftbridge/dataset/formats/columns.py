"""Rows of a question and an answer in columns: prompt/completion and Alpaca."""

from __future__ import annotations

from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject, as_messages, message


def _prompt_completion(row: FieldReader) -> JsonObject:
    """Both may be lists of messages instead of strings, as in Hugging Face TRL."""
    system = row.optional_text("system")
    messages = [message("system", system)] if system else []
    messages += as_messages(row.take("prompt"), "user") + as_messages(row.take("completion"), "assistant")
    row.warn_of_unread()
    return {"messages": messages}


def _alpaca(row: FieldReader) -> JsonObject:
    """The input, if any, follows the instruction after a blank line, as in LLaMA-Factory."""
    system, instruction, context = row.optional_text("system"), row.text("instruction"), row.optional_text("input")
    messages = [message("system", system)] if system else []
    for exchange in row.take("history") or ():
        if isinstance(exchange, list) and len(exchange) == 2:
            messages += [message("user", exchange[0]), message("assistant", exchange[1])]
        else:
            row.refuse(
                "history must contain pairs of a question and an answer", "Write [[question, answer], …].", "history"
            )
    messages.append(message("user", f"{instruction}\n\n{context}" if context else instruction))
    messages.append(message("assistant", row.text("output")))
    row.warn_of_unread()
    return {"messages": messages}


FORMATS = (
    Format("prompt-completion", "chat", lambda row: "prompt" in row and "completion" in row, _prompt_completion),
    Format("alpaca", "chat", lambda row: "instruction" in row and "output" in row, _alpaca),
)
