"""Nebius' training files, from canonical examples.

Source: docs.tokenfactory.nebius.com/post-training/datasets (2026-05). It names chats whose last message is the
assistant's in words, with tools where needed, and texts. It does not mention weights, names and images, so rows
whose meaning depends on these are refused; what does not change the meaning is dropped and reported.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ftbridge.dataset.canonical.example import SHAPE_OF, Assistant, Chat, Example, Message, Shape
from ftbridge.dataset.converter import FileLimits, PlainChats
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
from ftbridge_providers.shared.trained import refuse_reasoning, refuse_trained_inputs, without_input_weight


class NebiusFormat:
    """Chats and texts for supervised fine-tuning; its rules are the same for every model."""

    limits = FileLimits()
    plain_chats = PlainChats()
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
    refuse_reasoning(chat.messages, "$.messages", "Nebius", diagnostics)
    refuse_trained_inputs(chat.messages, "$.messages", "Nebius", diagnostics)
    for path, _, _ in images(chat.messages, "$.messages"):
        diagnostics.error(
            path, "no_images", "Nebius trains on text only", "Remove the image, or choose another target."
        )
    chat, _simple = simplified(chat, codes)
    if chat.parallel_tool_calls is not None:
        codes.add("parallel_tool_calls_dropped")
        chat = replace(chat, parallel_tool_calls=None)
    return replace(chat, messages=[_message(message, codes) for message in chat.messages])


def _message(message: Message, codes: set[str]) -> Message:
    message = without_input_weight(without_name(with_text(message, codes), codes), codes)
    return without_weight(message, codes)


def _check_end(messages: list[Message], diagnostics: Diagnostics) -> None:
    last = messages[-1] if messages else None
    if type(last) is Assistant and joined(last.content) and not last.tool_calls:
        return
    diagnostics.error(
        f"$.messages[{len(messages) - 1}]" if messages else "$.messages",
        "last_not_an_answer",
        "Nebius requires the last message to be a text by the assistant, not a tool call",
        "Add the answer to be learnt, or remove what comes after it.",
    )


def _check_weights(messages: list[Message], diagnostics: Diagnostics) -> None:
    for index, message in enumerate(messages):
        if type(message) is Assistant and message.weight == 0:
            diagnostics.error(
                f"$.messages[{index}].weight",
                "weight_not_offered",
                "Nebius does not document that answers with weight 0 are not trained",
                "End the example before this answer, or choose another target.",
            )
