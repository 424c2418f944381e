"""The turns of a conversation: none empty, images from users, each tool call answered in time."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any, TypeAlias

from ftbridge.dataset.canonical.example import Assistant, Content, ImagePart, Message, Tool, ToolCall, User
from ftbridge.dataset.canonical.tools import Declared, check_call
from ftbridge.dataset.findings import Diagnostics
from ftbridge.wording import printable

Waiting: TypeAlias = dict[str, str]  # the path of each call that waits for an answer, by its id

_IMAGE_URL = re.compile(r"https?://\S+\Z|data:image/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+={0,2}\Z", re.IGNORECASE)
_MOST_NAMED = 8  # calls that wait for an answer


def role_of(message: Message) -> str:
    """The role, as it is written in the data."""
    return str(type(message).__struct_config__.tag)


def has_content(content: Content | None) -> bool:
    """Whether there is an image, or text that is more than white space."""
    if isinstance(content, list):
        return any(isinstance(part, ImagePart) or has_content(part.text) for part in content)
    return bool(content) and not str(content).isspace()


def check_turns(
    messages: list[Message], path: str, declared: Declared, waiting: Waiting, diagnostics: Diagnostics
) -> Waiting:
    """The messages one by one, and whether each tool call is answered in time.

    `waiting` are the calls that wait for an answer before them; those that wait after them are returned.
    """
    waiting = dict(waiting)
    for index, message in enumerate(messages):
        at = f"{path}[{index}]"
        if type(message) is Tool:
            if waiting.pop(message.tool_call_id, None) is None:
                _unexpected_result(message, at, waiting, diagnostics)
        else:
            if waiting:
                _unanswered(waiting, role_of(message), diagnostics)
                waiting = {}
            if type(message) is Assistant and message.tool_calls is not None:
                waiting = _check_calls(message.tool_calls, declared, at, diagnostics)
            elif not has_content(message.content):
                _empty(message, at, diagnostics)
        if isinstance(message.content, list):
            _check_parts(message, message.content, f"{at}.content", diagnostics)
    return waiting


def _check_calls(calls: list[ToolCall], declared: Declared, path: str, diagnostics: Diagnostics) -> Waiting:
    """The calls that now wait for an answer."""
    waiting: Waiting = {}
    if not calls:
        diagnostics.error(f"{path}.tool_calls", "empty_tool_calls", "tool_calls is an empty list", "Leave the key out.")
    for index, call in enumerate(calls):
        at = f"{path}.tool_calls[{index}]"
        if not call.id or call.id in waiting:
            problem = f"the id '{printable(call.id)}' is used twice in one turn" if call.id else "the call has no id"
            diagnostics.error(f"{at}.id", "tool_call_id", problem, "Give each call a unique id.")
        check_call(call.function, declared, f"{at}.function", diagnostics)
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
