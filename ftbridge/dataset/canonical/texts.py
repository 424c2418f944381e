"""The texts of an example, wherever they are in it."""

from __future__ import annotations

from collections.abc import Iterator

from ftbridge.dataset.canonical.example import (
    Assistant,
    Chat,
    Content,
    Example,
    Message,
    Preference,
    System,
    Text,
    TextPart,
    ToolDefinition,
)


def texts(example: Example) -> Iterator[str]:
    """Every text, in order: reasoning, contents, and the arguments of tool calls."""
    if isinstance(example, Text):
        yield example.text
    for message in messages_of(example):
        yield from _message_texts(message)


def messages_of(example: Example) -> list[Message]:
    """Every message, in order; a text has none."""
    if isinstance(example, Chat):
        return example.messages
    if isinstance(example, Preference):
        return [*example.input.messages, *example.preferred_output, *example.non_preferred_output]
    return []


def tools_of(example: Example) -> list[ToolDefinition]:
    """The tools that the messages may call."""
    chat = example.input if isinstance(example, Preference) else example
    return (isinstance(chat, Chat) and chat.tools) or []


def system_prompt(example: Example) -> str:
    """The text of the first message where that is a system message; "" elsewhere."""
    chat = example.input if isinstance(example, Preference) else example
    first = chat.messages[0] if isinstance(chat, Chat) and chat.messages else None
    return "\n".join(content_texts(first.content)) if isinstance(first, System) else ""


def content_texts(content: Content | None) -> Iterator[str]:
    """The texts of one message's content."""
    if isinstance(content, str):
        yield content
    elif content is not None:
        yield from (part.text for part in content if isinstance(part, TextPart))


def _message_texts(message: Message) -> Iterator[str]:
    if isinstance(message, Assistant) and message.reasoning_content is not None:
        yield message.reasoning_content
    yield from content_texts(message.content)
    if isinstance(message, Assistant):
        for call in message.tool_calls or ():
            yield call.function.arguments
