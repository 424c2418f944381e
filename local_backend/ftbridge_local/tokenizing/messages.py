"""Chats as templates want them, which differ: a call's arguments as an object or a text, no content or an empty one.

transformers and vLLM give objects, and no content where there is none; what a template accepts beyond that, and writes
out whole, is found by trying.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import msgspec

from ftbridge.dataset.canonical.example import Assistant, Chat, ImagePart, Message, Tool
from ftbridge.dataset.canonical.texts import content_texts
from ftbridge_local.tokenizing.reasoning import ReasoningMarks

Messages = list[dict[str, Any]]

_ABSENT = object()


class UntrainableError(Exception):
    """An example that this model cannot be trained on: where, a stable code, why, and what to do."""

    def __init__(self, path: str, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.path, self.code, self.message, self.fix = path, code, message, fix


class Form(NamedTuple):
    """One way to give a chat to a template."""

    text_arguments: bool = False
    no_content: Any = _ABSENT
    split_reasoning: bool = False


def forms_of(chat: Chat, marks: ReasoningMarks | None) -> Iterator[Form]:
    """The ways in which the chat can be given, the usual one first."""
    answers = [message for message in chat.messages if type(message) is Assistant]
    thinks = marks is not None and any(marks.closes in text_of(message) for message in answers)
    called = any(message.tool_calls for message in answers)
    silent = any(not text_of(message) for message in answers)
    yield from (
        Form(text_arguments, no_content, split_reasoning)
        for split_reasoning, text_arguments, no_content in product(
            (False, True) if thinks else (False,),
            (False, True) if called else (False,),
            (_ABSENT, None, "") if silent else (_ABSENT,),
        )
    )


def plain(chat: Chat, form: Form, marks: ReasoningMarks | None) -> tuple[Messages, list[dict[str, Any]] | None]:
    """Messages and tools in that form, the contents as one string. Raises `UntrainableError` for an image.

    Names of people are left out: hardly any template renders them, and none declares whether it does.
    """
    messages = [_plain(index, message, form, marks) for index, message in enumerate(chat.messages)]
    return messages, msgspec.to_builtins(chat.tools) if chat.tools else None


def text_of(message: Message) -> str:
    """The content as one string; empty where there is none."""
    return "".join(content_texts(message.content))


def _plain(index: int, message: Message, form: Form, marks: ReasoningMarks | None) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(message)
    if fields.pop("weight", None) == 1 and not isinstance(message, Assistant):
        raise UntrainableError(
            f"$.messages[{index}].weight",
            "input_not_trained",
            "models on this machine are trained on the assistant's messages alone, and this message has weight 1",
            "Remove its weight.",
        )
    if not isinstance(message, Tool):
        fields.pop("name", None)
    if isinstance(message.content, list):
        if any(isinstance(part, ImagePart) for part in message.content):
            raise UntrainableError(
                f"$.messages[{index}].content",
                "image_not_trained",
                "models on this machine are trained on text, and this message contains an image",
                "Leave the example out, or describe the image in words.",
            )
        fields["content"] = text_of(message)
    return _answer(fields, form, marks) if isinstance(message, Assistant) else fields


def _answer(fields: dict[str, Any], form: Form, marks: ReasoningMarks | None) -> dict[str, Any]:
    if not fields.get("content") and form.no_content is not _ABSENT:
        fields["content"] = form.no_content
    if form.split_reasoning and marks and "reasoning_content" not in fields:
        reasoning, fields["content"] = marks.split(fields.get("content") or "")
        if reasoning:
            fields["reasoning_content"] = reasoning
    if reasoning := fields.get("reasoning_content"):
        fields = {"thinking": reasoning, **fields}  # as gpt-oss names it; transformers gives both
    for call in () if form.text_arguments else fields.get("tool_calls", ()):
        call["function"]["arguments"] = _arguments(call["function"]["arguments"])
    return fields


def _arguments(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
