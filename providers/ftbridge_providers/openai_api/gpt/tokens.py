"""Tokens by OpenAI's rules for messages, tools and images.

Sources: "How to count tokens with tiktoken" in OpenAI's cookbook (2024-10), sections 6 and 7, for gpt-4o; "Images and
vision", "Calculating costs", at developers.openai.com/api/docs/guides (2026-06). The smaller models of these families
count images by other rules, and are not trained on images.
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
    """Counts texts by `texts`, which counts four tokens for the markup around a message, its role included."""

    def __init__(self, texts: TextCounter, model: str) -> None:
        self.images = model.startswith(_TILED)
        self.name = texts.name
        self.error = texts.error
        self._texts = texts

    def count(self, example: Example) -> int:
        """The tokens of the messages, the tools, and, where the model is trained on them, the images."""
        length = self._texts.length
        tokens = self._texts.count_messages(example) + _REPLY * (not isinstance(example, Text))
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
        tokens = _TOOL + self._texts.length(f"{function.name}:{_bare(function.description)}")
        parameters = (function.parameters or {}).get("properties")
        if isinstance(parameters, dict) and parameters:
            tokens += _PARAMETERS + sum(self._parameter(name, schema) for name, schema in parameters.items())
        return tokens

    def _parameter(self, name: str, schema: Any) -> int:
        """The cookbook's rule covers type, description and choices; the rest of a schema is counted as its JSON."""
        rest = dict(schema) if isinstance(schema, dict) else {"": schema}
        kind, description, choices = (rest.pop(key, None) for key in ("type", "description", "enum"))
        tokens = _PARAMETER + self._texts.length(f"{name}:{_text(kind)}:{_bare(_text(description))}")
        if isinstance(choices, list):
            tokens += _ENUM + sum(_CHOICE + self._texts.length(_text(choice)) for choice in choices)
        return tokens + (self._texts.length(_text(rest)) if rest else 0)


def image_tokens(image: ImageUrl) -> int:
    """85 in low detail; else 85, and 170 for each tile of 512 pixels of the scaled image.

    It is scaled down to fit 2048 pixels, and its short side to 768.
    """
    if image.detail == "low":
        return _BASE
    width, height = pixels(image.url)
    scale = min(1.0, 2048 / max(width, height))
    scale = min(scale, 768 / min(width, height))
    return _BASE + _TILE * math.ceil(width * scale / 512) * math.ceil(height * scale / 512)


def _bare(description: str | None) -> str:
    return (description or "").removesuffix(".")


def _text(value: Any) -> str:
    """A value of a schema as a text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
