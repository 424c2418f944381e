"""Together AI's training files, from canonical examples.

Sources: docs.together.ai/docs/fine-tuning/{data-preparation,function-calling,vision} (2026-06), and
the checks of together 1.5.34 (together/utils/files.py), which later releases moved to the server.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from ftbridge.dataset.example import (
    Assistant,
    Chat,
    Developer,
    Example,
    ImagePart,
    Message,
    Preference,
    Shape,
    System,
    TextPart,
    Tool,
    ToolDefinition,
    User,
)
from ftbridge.dataset.findings import Notes
from ftbridge.model import Method
from ftbridge_providers.images import ImageRules, has_image, parts
from ftbridge_providers.shared import (
    as_system,
    check_outputs,
    plain,
    refuse_shape,
    with_text,
    without_name,
    without_weight,
)

_IMAGES = ImageRules("Together", linked=False)


class TogetherFormat:
    """Chats and texts for supervised fine-tuning, preferences for DPO."""

    minimum_examples = 1

    def __init__(self, target: str, method: Method) -> None:
        self.target = target
        self.shapes: frozenset[Shape] = frozenset({"preference"} if method is Method.DPO else {"chat", "text"})

    def convert(self, example: Example, notes: Notes) -> Any:
        """The row of Together's training file; see `Converter.convert`."""
        if refuse_shape(example, self.shapes, "Together", notes):
            return example
        codes: set[str] = set()
        row: Example = example
        if isinstance(example, Chat):
            row = _chat(example, notes, codes)
        elif isinstance(example, Preference):
            row = _preference(example, notes, codes)
        for code in sorted(codes):
            notes.changed(code)
        return row if codes else example


def _chat(chat: Chat, notes: Notes, codes: set[str]) -> Chat:
    roles = tuple(map(type, chat.messages))
    for at, code, message, fix in _order(roles):
        notes.error(f"$.messages[{at}].role", code, message, fix)
    if Assistant not in roles:
        notes.error(
            "$.messages",
            "no_assistant",
            "Together needs a message by the assistant in every example",
            "Add the answer that is to be learnt, or leave the example out.",
        )
    if plain(chat.messages) and chat.tools is None and chat.parallel_tool_calls is None:
        return chat
    _IMAGES.check(chat.messages, "$.messages", notes)
    return _converted(chat, has_image(chat.messages), codes)


def _preference(example: Preference, notes: Notes, codes: set[str]) -> Preference:
    messages = example.input.messages
    for at, code, message, fix in _order(tuple(map(type, messages)), preference=True):
        notes.error(f"$.input.messages[{at}].role", code, message, fix)
    if messages and isinstance(messages[-1], Assistant):
        notes.error(
            f"$.input.messages[{len(messages) - 1}].role",
            "input_ends_with_assistant",
            "Together wants the input of a preference to end before the assistant answers",
            "Move the last answer into the outputs, or remove it.",
        )
    check_outputs(example, "Together", notes)
    outputs = example.preferred_output, example.non_preferred_output
    _IMAGES.check(messages, "$.input.messages", notes)
    _IMAGES.check(outputs[0], "$.preferred_output", notes)
    _IMAGES.check(outputs[1], "$.non_preferred_output", notes)
    vision = has_image(messages)
    chat = _converted(example.input, vision, codes)
    preferred, other = ([without_weight(_message(m, vision, codes), codes) for m in output] for output in outputs)
    return Preference(replace(chat, messages=[without_weight(m, codes) for m in chat.messages]), preferred, other)


@lru_cache(maxsize=4096)
def _order(roles: tuple[type[Message], ...], *, preference: bool = False) -> tuple[tuple[int, str, str, str], ...]:
    """Where the roles are out of order: at which message, with the code, the sentence and the fix.

    A preference may open with the assistant, as Together's own example does. Tool messages in a row
    are the answers to parallel calls. Remembered, because a file has few orders and many rows.
    """
    found = []
    for at, (before, role) in enumerate(zip((None, *roles), roles, strict=False)):
        if at and role in (System, Developer):
            found.append((at, *_LATE_SYSTEM))
        elif not at and role not in (System, Developer, User) and not (preference and role is Assistant):
            found.append((at, *_BAD_OPENING))
        elif role is before and role is not Tool:
            found.append((at, *_NO_TURN))
    return tuple(found)


_LATE_SYSTEM = (
    "system_not_first",
    "Together takes one system message, and only as the first",
    "Join it with the first system message, or make it part of a user message.",
)
_BAD_OPENING = (
    "opening_role",
    "Together wants a conversation to start with the system or the user",
    "Add the user message that came before, or leave this message out.",
)
_NO_TURN = (
    "roles_do_not_alternate",
    "Together wants user and assistant to take turns",
    "Join the two messages into one.",
)


def _converted(chat: Chat, vision: bool, codes: set[str]) -> Chat:
    if chat.parallel_tool_calls is not None:
        codes.add("parallel_tool_calls_dropped")
    tools = chat.tools and [_tool(tool, codes) for tool in chat.tools]
    return Chat([_message(message, vision, codes) for message in chat.messages], tools)


def _tool(tool: ToolDefinition, codes: set[str]) -> ToolDefinition:
    if tool.function.strict is None:
        return tool
    codes.add("strict_dropped")
    return replace(tool, function=replace(tool.function, strict=None))


def _message(message: Message, vision: bool, codes: set[str]) -> Message:
    """Content is a string everywhere, or, where the example has an image, a list of parts everywhere."""
    message = without_name(as_system(message, codes), codes)
    if not vision:
        return with_text(message, codes)
    if isinstance(message.content, str):
        codes.add("text_as_part")
        return replace(message, content=[TextPart(message.content)])
    return _without_detail(message, codes)


def _without_detail(message: Message, codes: set[str]) -> Message:
    if not any(isinstance(part, ImagePart) and part.image_url.detail for part in parts(message)):
        return message
    codes.add("image_detail_dropped")
    content = [
        ImagePart(replace(part.image_url, detail=None)) if isinstance(part, ImagePart) else part
        for part in parts(message)
    ]
    return replace(message, content=content)
