"""What an example has to mean, once it has the right form.

Most rows are ordinary chats, for which `ordinary_chat` makes the other rules unnecessary; it is the only
function here that has to be fast. Types are compared with `is`: an isinstance that is false
takes eight times as long for msgspec's structs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftbridge.dataset.canonical.example import (
    Assistant,
    Chat,
    Developer,
    Message,
    Preference,
    Shape,
    System,
    Task,
    Text,
    Tool,
    User,
)
from ftbridge.dataset.canonical.tools import Declared, check_tools
from ftbridge.dataset.canonical.turns import Waiting, check_turns, role_of
from ftbridge.dataset.findings import Diagnostics

_VISIBLE = "!"  # a text that sorts after it begins with neither white space nor a control character


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
    return kind is Assistant and message.weight != 0


def check_chat(chat: Chat, diagnostics: Diagnostics) -> None:
    """Roles in order, tool calls answered, no message empty, something to learn."""
    _check_conversation(chat, "$", check_tools(chat.tools, "$", diagnostics), diagnostics)
    messages = chat.messages
    if not messages:
        return
    last = messages[-1]
    if type(last) is Assistant and last.weight != 0:
        return
    if not any(map(_is_trained, messages)):
        _nothing_to_learn(chat, diagnostics)
    elif type(last) is not Assistant:
        diagnostics.error(
            f"$.messages[{len(messages) - 1}]",
            "last_not_assistant",
            f"the last message is from '{role_of(last)}': without an answer it teaches nothing",
            "Remove it, or add the assistant's answer.",
        )


def check_preference(pair: Preference, diagnostics: Diagnostics) -> None:
    """A prompt, and the turns that answer it on either side: often one message from the assistant."""
    declared = check_tools(pair.input.tools, "$.input", diagnostics)
    waiting = _check_conversation(pair.input, "$.input", declared, diagnostics)
    for name, output in (
        ("preferred_output", pair.preferred_output),
        ("non_preferred_output", pair.non_preferred_output),
    ):
        _check_output(name, output, diagnostics)
        check_turns(output, f"$.{name}", declared, waiting, diagnostics)
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
    _check_conversation(task, "$", check_tools(task.tools, "$", diagnostics), diagnostics)
    if task.messages and not isinstance(task.messages[-1], User):
        role = role_of(task.messages[-1])
        diagnostics.error(
            f"$.messages[{len(task.messages) - 1}]",
            "last_not_user",
            f"the last message is from '{role}', and a task ends with a message for the model to answer",
            "End with the user's message, and put what a good answer contains into 'reference'.",
        )


def check_prompt(chat: Chat, diagnostics: Diagnostics) -> None:
    """A chat that asks something, whether its last message answers that or not."""
    _check_conversation(chat, "$", check_tools(chat.tools, "$", diagnostics), diagnostics)
    answered = bool(chat.messages) and isinstance(chat.messages[-1], Assistant)
    asking = chat.messages[:-1] if answered else chat.messages
    if chat.messages and not (asking and isinstance(asking[-1], User | Tool)):
        diagnostics.error(
            f"$.messages[{max(0, len(asking) - 1)}]",
            "last_not_user",
            "no message of the user, and no result of a tool, waits for an answer",
            "End with the user's message, or with the answer to it.",
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


def _check_conversation(chat: Chat, path: str, declared: Declared, diagnostics: Diagnostics) -> Waiting:
    if not chat.messages:
        fix = "Add messages, or remove the row."
        diagnostics.error(f"{path}.messages", "empty_messages", "there are no messages", fix)
    return check_turns(chat.messages, f"{path}.messages", declared, {}, diagnostics)


def _check_output(name: str, output: list[Message], diagnostics: Diagnostics) -> None:
    """Report an output that is empty, or that does not begin and end with the assistant."""
    if not output:
        diagnostics.error(f"$.{name}", "one_output", f"{name} has 0 messages", "Give the assistant's answer.")
    last = len(output) - 1
    for index, message in enumerate(output):
        role = type(message)
        opens, closes = index == 0 and role is User, index == last and role is not Assistant
        if opens or closes or role is System or role is Developer:
            at, problem = f"$.{name}[{index}]", f"{name} is from '{role_of(message)}'"
            fix = "An output begins and ends with the assistant: move what comes before into the input."
            diagnostics.error(at, "output_role", problem, fix)


def _is_trained(message: Message) -> bool:
    return message.weight == 1 or (type(message) is Assistant and message.weight is None)


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
