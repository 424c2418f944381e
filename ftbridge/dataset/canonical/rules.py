"""What an example has to mean, once it has the right form.

Most rows are ordinary chats, for which `ordinary_chat` makes the other rules unnecessary; it is the only
function here that has to be fast. Types are compared with `is`: an isinstance that is false
takes eight times as long for msgspec's structs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Any

import msgspec

from ftbridge.dataset.canonical.example import (
    Assistant,
    Chat,
    Content,
    ImagePart,
    Message,
    Preference,
    Shape,
    Task,
    Text,
    Tool,
    ToolCall,
    ToolDefinition,
    User,
)
from ftbridge.dataset.findings import Diagnostics
from ftbridge.wording import printable

_IMAGE_URL = re.compile(r"https?://\S+\Z|data:image/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+={0,2}\Z", re.IGNORECASE)
_MOST_NAMED = 8  # calls that wait for an answer
_VISIBLE = "!"  # a text that sorts after it begins with neither white space nor a control character
_arguments = msgspec.json.Decoder(dict[str, Any])


def ordinary_chat(chat: Chat) -> bool:
    """Whether a chat is plain text that ends with a trained answer: then it breaks no rule."""
    if chat.tools is not None:
        return False
    kind: type[Message] | None = None
    try:
        for message in chat.messages:
            if message.content <= _VISIBLE:  # type: ignore[operator]  # what is not text is not ordinary
                return False
            kind = type(message)
            if kind is Assistant:
                if message.tool_calls is not None:  # type: ignore[union-attr]  # kind tells that it has the field
                    return False
            elif kind is Tool:
                return False
    except TypeError:
        return False
    return kind is Assistant and message.weight != 0  # type: ignore[union-attr]  # likewise


def check_chat(chat: Chat, diagnostics: Diagnostics) -> None:
    """Roles in order, tool calls answered, no message empty, something to learn."""
    _check_turns(chat, "$", diagnostics)
    messages = chat.messages
    if not messages:
        return
    last = messages[-1]
    if type(last) is Assistant and last.weight != 0:
        return
    if not any(type(message) is Assistant and message.weight != 0 for message in messages):
        _nothing_to_learn(chat, diagnostics)
    elif type(last) is not Assistant:
        diagnostics.error(
            f"$.messages[{len(messages) - 1}]",
            "last_not_assistant",
            f"the last message is from '{role_of(last)}': without an answer it teaches nothing",
            "Remove it, or add the assistant's answer.",
        )


def check_preference(pair: Preference, diagnostics: Diagnostics) -> None:
    """A prompt, and one message from the assistant on either side."""
    _check_turns(pair.input, "$.input", diagnostics)
    declared = None if pair.input.tools is None else {tool.function.name for tool in pair.input.tools}
    for name, output in (
        ("preferred_output", pair.preferred_output),
        ("non_preferred_output", pair.non_preferred_output),
    ):
        path = f"$.{name}"
        if len(output) != 1:
            diagnostics.error(path, "one_output", f"{name} has {len(output)} messages", "Give one assistant message.")
        for index, message in enumerate(output):
            at = f"{path}[{index}]"
            if type(message) is Assistant:
                if message.tool_calls is not None:
                    _check_calls(message.tool_calls, declared, at, diagnostics)
                elif not has_content(message.content):
                    _empty(message, at, diagnostics)
                if isinstance(message.content, list):
                    _check_parts(message, message.content, f"{at}.content", diagnostics)
            else:
                problem = f"{name} is from '{role_of(message)}'"
                diagnostics.error(at, "output_role", problem, "Both outputs must be from the assistant.")
    if pair.preferred_output == pair.non_preferred_output:
        diagnostics.warning(
            "$.non_preferred_output",
            "same_outputs",
            "both outputs are the same, so neither can be preferred",
            "Remove the row, or give a worse answer as non_preferred_output.",
        )


def check_text(text: Text, diagnostics: Diagnostics) -> None:
    """Some text."""
    if not text.text or text.text.isspace():
        diagnostics.error("$.text", "empty_content", "the text is empty", "Remove the row.")


def check_task(task: Task, diagnostics: Diagnostics) -> None:
    """A chat that ends with a message for the model to answer."""
    _check_turns(task, "$", diagnostics)
    if task.messages and not isinstance(task.messages[-1], User):
        role = role_of(task.messages[-1])
        diagnostics.error(
            f"$.messages[{len(task.messages) - 1}]",
            "last_not_user",
            f"the last message is from '{role}', and a task ends with a message for the model to answer",
            "End with the user's message, and put what a good answer contains into 'reference'.",
        )


CHECKS: dict[Shape, Callable[[Any, Diagnostics], None]] = {
    "chat": check_chat,
    "preference": check_preference,
    "text": check_text,
    "task": check_task,
}
ORDINARY: dict[Shape, Callable[[Any], bool]] = {
    "chat": ordinary_chat,
    "preference": lambda _: False,
    "text": lambda _: False,
    "task": lambda _: False,
}


def role_of(message: Message) -> str:
    """The role, as it is written in the data."""
    return str(type(message).__struct_config__.tag)


def has_content(content: Content | None) -> bool:
    """Whether there is an image, or text that is more than white space."""
    if isinstance(content, list):
        return any(isinstance(part, ImagePart) or has_content(part.text) for part in content)
    return bool(content) and not str(content).isspace()


def _check_turns(chat: Chat, path: str, diagnostics: Diagnostics) -> None:
    """The messages one by one, and whether each tool call is answered in time."""
    if not chat.messages:
        diagnostics.error(
            f"{path}.messages", "empty_messages", "there are no messages", "Add messages, or remove the row."
        )
    declared = None if chat.tools is None else _check_tools(chat.tools, path, diagnostics)
    waiting: dict[str, str] = {}
    for index, message in enumerate(chat.messages):
        if type(message) is Tool:
            if waiting.pop(message.tool_call_id, None) is None:
                _unexpected_result(message, f"{path}.messages[{index}]", waiting, diagnostics)
        else:
            if waiting:
                _unanswered(waiting, role_of(message), diagnostics)
                waiting = {}
            if type(message) is Assistant and message.tool_calls is not None:
                waiting = _check_calls(message.tool_calls, declared, f"{path}.messages[{index}]", diagnostics)
            elif not has_content(message.content):
                _empty(message, f"{path}.messages[{index}]", diagnostics)
        if isinstance(message.content, list):
            _check_parts(message, message.content, f"{path}.messages[{index}].content", diagnostics)


def _check_tools(tools: list[ToolDefinition], path: str, diagnostics: Diagnostics) -> set[str]:
    """The declared names, which have to differ."""
    names: set[str] = set()
    for index, tool in enumerate(tools):
        name = tool.function.name
        if not name or name in names:
            problem = f"'{printable(name)}' is declared twice" if name else "the tool has no name"
            at = f"{path}.tools[{index}].function.name"
            diagnostics.error(at, "tool_name", problem, "Give each tool a unique name.")
        names.add(name)
    return names


def _check_calls(
    calls: list[ToolCall], declared: set[str] | None, path: str, diagnostics: Diagnostics
) -> dict[str, str]:
    """The calls that now wait for an answer: id -> path. `declared` is None where the row has no tools."""
    waiting: dict[str, str] = {}
    if not calls:
        diagnostics.error(f"{path}.tool_calls", "empty_tool_calls", "tool_calls is an empty list", "Leave the key out.")
    for index, call in enumerate(calls):
        at = f"{path}.tool_calls[{index}]"
        try:
            _arguments.decode(call.function.arguments)
        except (msgspec.MsgspecError, RecursionError):
            shown = printable(call.function.arguments)
            diagnostics.error(
                f"{at}.function.arguments",
                "arguments",
                f"the arguments are not a JSON object: '{shown}'",
                'Write them as a string that contains an object, such as "{\\"city\\": \\"Oslo\\"}".',
            )
        if not call.id or call.id in waiting:
            problem = f"the id '{printable(call.id)}' is used twice in one turn" if call.id else "the call has no id"
            diagnostics.error(f"{at}.id", "tool_call_id", problem, "Give each call a unique id.")
        if declared is not None and call.function.name not in declared:
            diagnostics.warning(
                f"{at}.function.name",
                "undeclared_tool",
                f"'{printable(call.function.name)}' is called, but is not among the row's tools",
                "Declare it in tools, so that the model sees what it may call.",
            )
        waiting[call.id] = at
    return waiting


def _check_parts(message: Message, parts: list[Any], path: str, diagnostics: Diagnostics) -> None:
    for index, part in enumerate(parts):
        if type(part) is not ImagePart:
            continue
        if type(message) is not User:
            diagnostics.error(
                f"{path}[{index}]",
                "image_role",
                f"a message from '{role_of(message)}' has an image",
                "Only user messages may have images: move it, or replace it with text.",
            )
        if not _IMAGE_URL.match(part.image_url.url):
            diagnostics.error(
                f"{path}[{index}].image_url.url",
                "image_url",
                f"'{printable(part.image_url.url)}' is neither a web address nor a data URL of an image",
                "Give https://…, or data:image/png;base64,… with the image itself.",
            )


def _empty(message: Message, path: str, diagnostics: Diagnostics) -> None:
    role = role_of(message)
    if role in ("system", "developer") and message.content != []:  # OpenAI: a list of parts has at least one
        diagnostics.warning(f"{path}.content", "empty_content", f"the {role} message is empty", "Remove the message.")
    else:
        fix = "Give it text or tool_calls, or remove the row." if role == "assistant" else "Give it text."
        diagnostics.error(f"{path}.content", "empty_content", f"the {role} message is empty", fix)


def _unexpected_result(message: Tool, path: str, waiting: dict[str, str], diagnostics: Diagnostics) -> None:
    expected = ", ".join(f"'{printable(known, 30)}'" for known in islice(waiting, _MOST_NAMED))
    diagnostics.error(
        f"{path}.tool_call_id",
        "tool_call_id",
        f"'{printable(message.tool_call_id)}' does not match an open tool call",
        f"Use the id of the call it answers: {expected}{', …' * (len(waiting) > _MOST_NAMED)}."
        if waiting
        else "Put it right after the message with the tool_calls.",
    )


def _unanswered(waiting: dict[str, str], role: str, diagnostics: Diagnostics) -> None:
    for call, path in waiting.items():
        diagnostics.error(
            path,
            "unanswered_tool_call",
            f"the call '{printable(call)}' is not answered before the next message from '{role}'",
            f"Add a message with role 'tool' and tool_call_id '{printable(call)}' right after the call.",
        )


def _nothing_to_learn(chat: Chat, diagnostics: Diagnostics) -> None:
    if any(type(message) is Assistant for message in chat.messages):
        diagnostics.error(
            "$.messages",
            "nothing_trained",
            "every assistant message has weight 0, so there is nothing to learn",
            "Set weight 1 on the answers to be learned, or remove the row.",
        )
    else:
        diagnostics.error(
            "$.messages",
            "no_assistant",
            "there is no assistant message, so there is nothing to learn",
            "Add the answer that the model should give.",
        )
