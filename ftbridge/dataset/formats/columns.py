"""Rows of a question and an answer in columns: prompt/completion and Alpaca."""

from __future__ import annotations

from ftbridge.dataset.formats.base import FieldReader, Format, Keys, as_messages, turn


def _prompt_completion(row: FieldReader) -> Keys:
    """Both may be lists of messages in place of strings, as Hugging Face TRL has them."""
    system = row.maybe("system")
    messages = [turn("system", system)] if system else []
    messages += as_messages(row.anything("prompt"), "user") + as_messages(row.anything("completion"), "assistant")
    row.done()
    return {"messages": messages}


def _alpaca(row: FieldReader) -> Keys:
    """The input, where there is one, follows its instruction after a blank line, as LLaMA-Factory joins them."""
    system, instruction, given = row.maybe("system"), row.text("instruction"), row.maybe("input")
    messages = [turn("system", system)] if system else []
    for past in row.anything("history") or ():
        if isinstance(past, list) and len(past) == 2:
            messages += [turn("user", past[0]), turn("assistant", past[1])]
        else:
            row.refuse(
                "history must hold pairs of a question and an answer", "Write [[question, answer], …].", "history"
            )
    messages.append(turn("user", f"{instruction}\n\n{given}" if given else instruction))
    messages.append(turn("assistant", row.text("output")))
    row.done()
    return {"messages": messages}


FORMATS = (
    Format("prompt-completion", "chat", lambda row: "prompt" in row and "completion" in row, _prompt_completion),
    Format("alpaca", "chat", lambda row: "instruction" in row and "output" in row, _alpaca),
)
