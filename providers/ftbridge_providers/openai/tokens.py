"""Tokens by OpenAI's own rules: for messages, for tools, and for images.

Sources: "How to count tokens with tiktoken" in OpenAI's cookbook (2024-10), sections 6 and 7, for gpt-4o; "Images and
vision", "Calculating costs", at developers.openai.com/api/docs/guides (2026-06). The smaller models of these families
have other rules for images, and are not trained on any.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from ftbridge.dataset import TextCounter
from ftbridge.dataset.canonical.example import Assistant, Example, ImageUrl, Text, ToolDefinition
from ftbridge.dataset.canonical.texts import messages_of, tools_of
from ftbridge_providers.shared.image_size import images_of, pixels

_TILED = ("gpt-4o-2024", "gpt-4.1-2025")
_BASE, _TILE = 85, 170
_REPLY, _NAME = 3, 1
_TOOL, _TOOLS, _PARAMETERS, _PARAMETER, _ENUM, _CHOICE = 7, 12, 3, 3, -3, 3


class OpenAICounter:
    """Counts words by `words`, which takes four tokens for what stands around a message, its role among them."""

    def __init__(self, words: TextCounter, model: str) -> None:
        self.images = model.startswith(_TILED)
        self.name = words.name
        self.error = words.error
        self._words = words

    def count(self, example: Example) -> int:
        """The tokens of the messages, the tools, and, where the model is trained on them, the images."""
        length = self._words.length
        tokens = self._words.count_messages(example) + _REPLY * (not isinstance(example, Text))
        for message in messages_of(example):
            if message.name is not None:
                tokens += _NAME + length(message.name)
            if isinstance(message, Assistant):
                tokens += sum(length(call.function.name) for call in message.tool_calls or ())
        tools = tools_of(example)
        tokens += sum(map(self._tool, tools)) + _TOOLS * bool(tools)
        return tokens + sum(map(image_tokens, images_of(example))) * self.images

    def _tool(self, tool: ToolDefinition) -> int:
        function = tool.function
        tokens = _TOOL + self._words.length(f"{function.name}:{_bare(function.description)}")
        parameters = (function.parameters or {}).get("properties")
        if isinstance(parameters, dict) and parameters:
            tokens += _PARAMETERS + sum(self._parameter(name, schema) for name, schema in parameters.items())
        return tokens

    def _parameter(self, name: str, schema: Any) -> int:
        """The rule knows type, description and choices; whatever else a schema holds is counted as JSON."""
        rest = dict(schema) if isinstance(schema, dict) else {"": schema}
        kind, description, choices = (rest.pop(key, None) for key in ("type", "description", "enum"))
        tokens = _PARAMETER + self._words.length(f"{name}:{_text(kind)}:{_bare(_text(description))}")
        if isinstance(choices, list):
            tokens += _ENUM + sum(_CHOICE + self._words.length(_text(choice)) for choice in choices)
        return tokens + (self._words.length(_text(rest)) if rest else 0)


def image_tokens(image: ImageUrl) -> int:
    """85 in low detail; else 170 more for each tile of 512 pixels, once the image fits 2048 and its short side 768."""
    if image.detail == "low":
        return _BASE
    width, height = pixels(image.url)
    scale = min(1.0, 2048 / max(width, height))
    scale = min(scale, 768 / min(width, height))
    return _BASE + _TILE * math.ceil(width * scale / 512) * math.ceil(height * scale / 512)


def _bare(description: str | None) -> str:
    return (description or "").removesuffix(".")


def _text(value: Any) -> str:
    """What a schema holds, as it is written there."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
