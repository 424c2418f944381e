"""Changes and checks of examples that several vendors need.

A change takes a message and the set of the example's change codes. It returns the message itself
if there is nothing to change, else a changed copy, and adds its code to the set.

Here and in the formats, types are compared with `is`: an isinstance that is false takes eight
times as long for msgspec's structs, and these lines run for every message of a file.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeVar

from msgspec.structs import replace

from ftbridge.dataset.canonical.example import (
    SHAPE_OF,
    Assistant,
    Chat,
    Content,
    Developer,
    Example,
    Message,
    Preference,
    Shape,
    System,
    TextPart,
    User,
)
from ftbridge.dataset.findings import Diagnostics

M = TypeVar("M", bound=Message)

_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def plain(messages: list[Message]) -> bool:
    """Whether these are texts by system, user and assistant, and answers have no more than a weight: most rows are."""
    for message in messages:
        if type(message.content) is not str or message.name is not None:
            return False
        if type(message) is Assistant:
            if message.tool_calls is not None or message.reasoning_content is not None:
                return False
        elif message.weight is not None or (type(message) is not User and type(message) is not System):
            return False
    return True


def simplified(chat: Chat, codes: set[str]) -> tuple[Chat, bool]:
    """The chat with system for developer messages, and whether its messages are plain."""
    if plain(chat.messages):
        return chat, True
    chat = with_system(chat, codes)
    return chat, plain(chat.messages)


def with_system(chat: Chat, codes: set[str]) -> Chat:
    """The chat with its developer messages as system messages, the role that all vendors know."""
    messages: list[Message] = []
    for message in chat.messages:
        if type(message) is Developer:
            codes.add("developer_role_renamed")
            messages.append(System(message.content, message.name, message.weight))
        else:
            messages.append(message)
    return Chat(messages, chat.tools, chat.parallel_tool_calls)


def without_name(message: M, codes: set[str]) -> M:
    """The message without its `name`."""
    if message.name is None:
        return message
    codes.add("name_dropped")
    return replace(message, name=None)


def without_weight(message: Message, codes: set[str]) -> Message:
    """The message without its weight, for preferences, whose outputs are trained as a whole."""
    if message.weight is None:
        return message
    codes.add("weight_dropped")
    return replace(message, weight=None)


def with_text(message: M, codes: set[str]) -> M:
    """The message with its text parts as one string, a blank line between them; images stay as they are.

    The blank line is what Mistral's own mistral-common 1.13 puts there (instruct/normalize.py).
    """
    content = joined(message.content)
    if content is message.content:
        return message
    codes.add("text_parts_joined")
    return replace(message, content=content)


def joined(content: Content | None) -> Content | None:
    """Text parts as one string; everything else as it is."""
    if type(content) is not list:
        return content
    texts = [part.text for part in content if type(part) is TextPart]
    return "\n\n".join(texts) if len(texts) == len(content) else content


def refuse_shape(example: Example, shapes: frozenset[Shape], vendor: str, diagnostics: Diagnostics) -> None:
    """Report that an example has a shape that is not trained here."""
    diagnostics.error(
        "$",
        "shape_not_trained",
        f"{vendor} does not train on a {SHAPE_OF[type(example)]} with this method",
        f"Give {' or '.join(sorted(shapes))} examples, or choose another method or target.",
    )


def report_changes(codes: set[str], diagnostics: Diagnostics) -> None:
    """Report each change once for an example, in alphabetical order."""
    for code in sorted(codes):
        diagnostics.changed(code)


def check_outputs(example: Preference, vendor: str, diagnostics: Diagnostics) -> bool:
    """Whether both outputs are one assistant message each, and trained; reports those that are not."""
    valid = True
    for key in ("preferred_output", "non_preferred_output"):
        output: list[Message] = getattr(example, key)
        if len(output) != 1 or type(output[0]) is not Assistant:
            valid = False
            diagnostics.error(
                f"$.{key}",
                "output_not_one_assistant",
                f"{vendor} takes exactly one assistant message as {key}",
                "Keep the assistant message that answers the input, and move the messages before it into the input.",
            )
        elif output[0].weight == 0:
            valid = False
            diagnostics.error(
                f"$.{key}[0].weight",
                "output_weight_zero",
                f"{vendor} compares both outputs and cannot leave one out of the training",
                "Remove the weight, or the whole example.",
            )
    return valid


def check_function_names(chat: Chat, root: str, vendor: str, diagnostics: Diagnostics) -> None:
    """Report function names, defined or called, that are not 1 to 64 letters, digits, underscores and dashes."""
    for index, tool in enumerate(chat.tools or ()):
        if not _is_function_name(tool.function.name):
            _refuse_name(f"{root}.tools[{index}].function.name", vendor, diagnostics)
    for index, message in enumerate(chat.messages):
        if type(message) is Assistant and message.tool_calls:
            for call_index, call in enumerate(message.tool_calls):
                if not _is_function_name(call.function.name):
                    _refuse_name(
                        f"{root}.messages[{index}].tool_calls[{call_index}].function.name", vendor, diagnostics
                    )


@lru_cache(maxsize=4096)
def _is_function_name(name: str) -> bool:
    return _FUNCTION_NAME.fullmatch(name) is not None


def _refuse_name(path: str, vendor: str, diagnostics: Diagnostics) -> None:
    diagnostics.error(
        path,
        "function_name",
        f"{vendor} takes function names of 1 to 64 letters, digits, underscores and dashes",
        "Rename the function in the tools, in the calls, and in the code that serves them.",
    )
