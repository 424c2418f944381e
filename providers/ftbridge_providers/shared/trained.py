"""What a row asks to be trained, for vendors that train the texts and calls of answers, and nothing else."""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import replace

from ftbridge.dataset.canonical.example import Assistant, Message
from ftbridge.dataset.findings import Diagnostics

M = TypeVar("M", bound=Message)


def refuse_reasoning(messages: list[Message], root: str, vendor: str, diagnostics: Diagnostics) -> None:
    """Report reasoning."""
    for index, message in enumerate(messages):
        if type(message) is Assistant and message.reasoning_content is not None:
            diagnostics.error(
                f"{root}[{index}].reasoning_content",
                "reasoning_not_trained",
                f"{vendor}'s training files have no place for reasoning",
                "Remove it to train the answer alone, or choose a target that trains reasoning.",
            )


def refuse_trained_inputs(messages: list[Message], root: str, vendor: str, diagnostics: Diagnostics) -> None:
    """Report messages with weight 1 that are no answers."""
    for index, message in enumerate(messages):
        if message.weight == 1 and type(message) is not Assistant:
            diagnostics.error(
                f"{root}[{index}].weight",
                "input_not_trained",
                f"{vendor} trains the assistant's messages only, so this weight of 1 cannot be kept",
                "Remove the weight, or choose a target that trains any message.",
            )


def without_input_weight(message: M, codes: set[str]) -> M:
    """The message without a weight that is not an answer's: 0 says there what is so without it."""
    if message.weight is None or type(message) is Assistant:
        return message
    codes.add("input_weight_dropped")
    return replace(message, weight=None)
