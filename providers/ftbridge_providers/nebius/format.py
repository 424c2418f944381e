"""Nebius' training files, from canonical examples.

Source: docs.tokenfactory.nebius.com/post-training/datasets (2026-05). It names chats whose last message is the
assistant's in words, with tools where needed, and texts. It says nothing of weights, names and images, so rows
whose meaning hangs on these are refused, and what only decorates is left out and told.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ftbridge.dataset.canonical.example import SHAPE_OF, Assistant, Chat, Example, Message, Shape
from ftbridge.dataset.converter import FileLimits
from ftbridge.dataset.findings import Diagnostics
from ftbridge_providers.shared.examples import (
    joined,
    refuse_shape,
    report_changes,
    simplified,
    with_text,
    without_name,
    without_weight,
)
from ftbridge_providers.shared.images import images


class NebiusFormat:
    """Chats and texts for supervised fine-tuning; its rules are the same for every model."""

    limits = FileLimits()
    shapes: frozenset[Shape] = frozenset({"chat", "text"})

    def __init__(self, target: str) -> None:
        self.target = target

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        """The row of Nebius' training file; see `Converter.convert`."""
        codes: set[str] = set()
        row: Example = example
        if SHAPE_OF[type(example)] not in self.shapes:
            refuse_shape(example, self.shapes, "Nebius", diagnostics)
        elif type(example) is Chat:
            row = _chat(example, diagnostics, codes)
        if not codes:
            return example
        report_changes(codes, diagnostics)
        return row


def _chat(chat: Chat, diagnostics: Diagnostics, codes: set[str]) -> Chat:
    _check_end(chat.messages, diagnostics)
    _check_weights(chat.messages, diagnostics)
    for path, _, _ in images(chat.messages, "$.messages"):
        diagnostics.error(
            path, "no_images", "Nebius trains on text only", "Leave the image out, or choose another target."
        )
    chat, _simple = simplified(chat, codes)
    if chat.parallel_tool_calls is not None:
        codes.add("parallel_tool_calls_dropped")
        chat = replace(chat, parallel_tool_calls=None)
    return replace(chat, messages=[_message(message, codes) for message in chat.messages])


def _message(message: Message, codes: set[str]) -> Message:
    return without_weight(without_name(with_text(message, codes), codes), codes)


def _check_end(messages: list[Message], diagnostics: Diagnostics) -> None:
    last = messages[-1] if messages else None
    if type(last) is Assistant and joined(last.content) and not last.tool_calls:
        return
    diagnostics.error(
        f"$.messages[{len(messages) - 1}]" if messages else "$.messages",
        "last_not_an_answer",
        "Nebius wants the last message to be the assistant's, in words and not a call of a tool",
        "Add the answer that should be learned, or leave out what comes after it.",
    )


def _check_weights(messages: list[Message], diagnostics: Diagnostics) -> None:
    for at, message in enumerate(messages):
        if type(message) is Assistant and message.weight == 0:
            diagnostics.error(
                f"$.messages[{at}].weight",
                "weight_not_offered",
                "Nebius does not say that it leaves answers with weight 0 out of the training",
                "End the example before this answer, or choose another target.",
            )
